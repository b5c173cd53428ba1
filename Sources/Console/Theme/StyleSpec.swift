/// How one role looks at each colour depth.
public struct StyleSpec: Sendable, Equatable {
    /// For 256 and direct colour; nil is the `text` role's, and the terminal's own where that is nil too.
    public var foreground: RGB?
    public var background: RGB?
    /// ANSI colour 0–15 for 8 and 16 colours; nil as above.
    public var ansiForeground: UInt8?
    public var ansiBackground: UInt8?
    /// What tells the role apart where there is no colour; used at `ColorDepth.mono` only.
    public var mono: CellAttributes

    public init(
        foreground: RGB? = nil, background: RGB? = nil, ansiForeground: UInt8? = nil, ansiBackground: UInt8? = nil,
        mono: CellAttributes = []
    ) {
        self.foreground = foreground
        self.background = background
        self.ansiForeground = ansiForeground
        self.ansiBackground = ansiBackground
        self.mono = mono
    }
}

/// A colour as red, green and blue of 8 bits.
public struct RGB: Sendable, Hashable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }
}

/// How many colours a terminal has.
public enum ColorDepth: String, Sendable, Equatable, CaseIterable {
    case mono
    case ansi8
    case ansi16
    /// The fixed colours 16–255 of the xterm palette.
    case indexed256
    case direct
}

/// Which characters may be drawn.
public enum GlyphSet: String, Sendable, Equatable, CaseIterable {
    /// Boxes and braille graphs.
    case unicode
    /// Boxes, graphs of block elements: for fonts without braille.
    case blocks
    /// ASCII only; anything else is shown as `?`.
    case ascii
}
