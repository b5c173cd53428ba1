/// A look: one style per role, a pure value.
public struct Theme: Sendable, Equatable {
    public var name: String
    public var styles: [StyleRole: StyleSpec]

    public init(name: String, styles: [StyleRole: StyleSpec]) {
        self.name = name
        self.styles = styles
    }

    /// How a role looks, with the `text` role's colours where it names none of its own.
    public subscript(role: StyleRole) -> StyleSpec {
        let base = styles[.text] ?? StyleSpec()
        guard role != .text, var style = styles[role] else { return base }
        style.foreground = style.foreground ?? base.foreground
        style.background = style.background ?? base.background
        style.ansiForeground = style.ansiForeground ?? base.ansiForeground
        style.ansiBackground = style.ansiBackground ?? base.ansiBackground
        return style
    }
}
