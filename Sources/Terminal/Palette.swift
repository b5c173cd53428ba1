import CTerminal
import Console

/// Turns roles into ncurses attributes and colour pairs; pairs are made when they are first drawn.
@ScreenActor
final class Palette {
    /// What a cell is drawn with.
    struct Look: Equatable {
        var attributes: attr_t
        var pair: Int32
    }

    private struct CellStyle: Hashable {
        var role: StyleRole
        var attributes: CellAttributes
    }

    private struct Colors: Hashable {
        var foreground: Int32
        var background: Int32
    }

    /// -1 is the terminal's own colour.
    private static let terminalColors = Colors(foreground: -1, background: -1)

    let depth: ColorDepth
    private let pairLimit: Int32
    private var theme: Theme
    private var looks: [CellStyle: Look] = [:]
    private var pairs: [Colors: Int32] = [:]

    init(theme: Theme, depth: ColorDepth, pairLimit: Int32) {
        self.theme = theme
        self.depth = depth
        self.pairLimit = pairLimit
    }

    var isMono: Bool { depth == .mono || !theme.hasColor }

    func use(_ theme: Theme) {
        self.theme = theme
        looks = [:]
    }

    func look(_ role: StyleRole, _ attributes: CellAttributes) -> Look {
        let style = CellStyle(role: role, attributes: attributes)
        if let look = looks[style] { return look }
        let look = makeLook(theme[role], attributes)
        looks[style] = look
        return look
    }

    private func makeLook(_ spec: StyleSpec, _ attributes: CellAttributes) -> Look {
        // A theme without colours says everything by attributes, whatever the terminal could show.
        switch isMono ? .mono : depth {
        case .mono:
            return Look(attributes: Self.native(attributes.union(spec.mono)), pair: 0)
        case .ansi8:
            let (colors, extra) = Self.eightColors(spec)
            return Look(attributes: Self.native(attributes.union(extra)), pair: pair(colors))
        case .ansi16:
            let colors = Colors(
                foreground: spec.ansiForeground.map(Int32.init) ?? -1,
                background: spec.ansiBackground.map(Int32.init) ?? -1)
            return Look(attributes: Self.native(attributes), pair: pair(colors))
        case .indexed256:
            return rich(spec, attributes) { Int32($0.indexed256) }
        case .direct:
            return rich(spec, attributes, Self.direct)
        }
    }

    /// A theme that names only ANSI colours uses the user's own 16 at every depth.
    private func rich(_ spec: StyleSpec, _ attributes: CellAttributes, _ index: (RGB) -> Int32) -> Look {
        let ansi: (UInt8?) -> Int32 = { [depth] color in
            guard let color, depth == .indexed256 || color < 8 else { return -1 }
            return Int32(color)
        }
        let colors = Colors(
            foreground: spec.foreground.map(index) ?? ansi(spec.ansiForeground),
            background: spec.background.map(index) ?? ansi(spec.ansiBackground))
        return Look(attributes: Self.native(attributes), pair: pair(colors))
    }

    /// Bright colours of a terminal with eight: bold, and grey as dim white, for black in bold is invisible on many.
    private static func eightColors(_ spec: StyleSpec) -> (Colors, CellAttributes) {
        var extra: CellAttributes = []
        var foreground: Int32 = -1
        if let color = spec.ansiForeground {
            foreground = color == 8 ? 7 : Int32(color % 8)
            if color == 8 { extra = .dim } else if color > 8 { extra = .bold }
        }
        let background = spec.ansiBackground.map { Int32($0 % 8) } ?? -1
        return (Colors(foreground: foreground, background: background), extra)
    }

    private func pair(_ colors: Colors) -> Int32 {
        if colors == Self.terminalColors { return 0 }
        if let pair = pairs[colors] { return pair }
        let next = Int32(pairs.count + 1)
        // Out of pairs: the terminal's own colours are better than somebody else's.
        guard next < pairLimit, init_extended_pair(next, colors.foreground, colors.background) == OK else { return 0 }
        pairs[colors] = next
        return next
    }

    /// As a direct-colour terminal takes it, where 0–7 mean the ANSI colours.
    private static func direct(_ color: RGB) -> Int32 {
        max(Int32(color.red) << 16 | Int32(color.green) << 8 | Int32(color.blue), 8)
    }

    private static func native(_ attributes: CellAttributes) -> attr_t {
        var native: attr_t = 0
        if attributes.contains(.bold) { native |= CT_A_BOLD }
        if attributes.contains(.dim) { native |= CT_A_DIM }
        if attributes.contains(.underline) { native |= CT_A_UNDERLINE }
        if attributes.contains(.reverse) { native |= CT_A_REVERSE }
        if attributes.contains(.italic) { native |= CT_A_ITALIC }
        return native
    }
}

extension Theme {
    /// Whether any role names a colour.
    fileprivate var hasColor: Bool {
        styles.values.contains {
            $0.foreground != nil || $0.background != nil || $0.ansiForeground != nil || $0.ansiBackground != nil
        }
    }
}
