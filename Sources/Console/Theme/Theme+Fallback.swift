extension Theme {
    /// The look when no theme file is found: the terminal's own colours, as `themes/system.toml`.
    public static let fallback = Theme(
        name: "System",
        styles: [
            .text: StyleSpec(),
            .dim: StyleSpec(),
            .frame: StyleSpec(ansiForeground: 8),
            .focus: StyleSpec(ansiForeground: 6, mono: .bold),
            .title: StyleSpec(mono: .bold),
            .good: StyleSpec(ansiForeground: 2),
            .warn: StyleSpec(ansiForeground: 3, mono: .underline),
            .bad: StyleSpec(ansiForeground: 1, mono: [.reverse, .bold]),
            .busy: StyleSpec(ansiForeground: 5, mono: .bold),
            .off: StyleSpec(ansiForeground: 8, mono: .dim),
            .select: StyleSpec(ansiForeground: 0, ansiBackground: 6, mono: .reverse),
            .in: StyleSpec(ansiForeground: 6),
            .out: StyleSpec(ansiForeground: 5),
            .hintKey: StyleSpec(ansiForeground: 6, mono: .bold),
        ])
}
