import Console

/// Which terminal description, colours and characters to use: decided once, from the environment.
public struct TerminalChoice: Sendable, Equatable {
    /// What terminfo says of a name.
    public enum Description: Sendable, Equatable {
        case usable
        case unknown
        case tooPlain
    }

    /// Drawn as when `TERM` names a terminal that this host does not know.
    public static let fallback = "xterm-256color"

    /// The description to start ncurses with.
    public var name: String
    /// Colours are wanted; the description decides how many there are.
    public var hasColor: Bool
    public var glyphs: GlyphSet
    /// Said after the screen has gone.
    public var note: String?

    /// - Parameters:
    ///   - isUTF8: whether the locale's text is UTF-8.
    ///   - describe: looks a name up in the terminfo database.
    public init(
        environment: [String: String], isUTF8: Bool, describe: (String) -> Description
    ) throws(ScreenError) {
        let term = environment["TERM"] ?? ""
        guard !term.isEmpty else { throw .noTerminalName }
        hasColor = (environment["NO_COLOR"] ?? "").isEmpty
        glyphs = !isUTF8 ? .ascii : term.hasPrefix("linux") ? .blocks : .unicode
        switch describe(term) {
        case .tooPlain:
            throw .tooPlain(term)
        case .unknown:
            guard describe(Self.fallback) == .usable else { throw .noDescription(term) }
            name = Self.fallback
            note = "TERM=\(Self.printable(term)) is not in this host's terminfo database; drew as on \(Self.fallback)"
        case .usable:
            name = term
        }
        if hasColor, ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "") {
            // Direct-colour descriptions are an extra package; without it 256 colours are the base.
            let direct = name.prefix { $0 != "-" } + "-direct"
            if describe(String(direct)) == .usable { name = String(direct) }
        }
    }

    /// The depth that a description with so many colours gives.
    func depth(colors: Int) -> ColorDepth {
        guard hasColor else { return .mono }
        return switch colors {
        case ..<8: .mono
        case ..<16: .ansi8
        case ..<256: .ansi16
        case ..<65536: .indexed256
        default: .direct
        }
    }

    private static func printable(_ text: String) -> String {
        String(text.unicodeScalars.prefix(40).map { (0x21...0x7E).contains($0.value) ? Character($0) : "?" })
    }
}
