extension KeyTable {
    /// The keys of the panes as a Markdown table: what the README shows, printed from the one table.
    public static var markdownReference: String {
        var lines = ["| key | does |", "| --- | --- |"]
        var seen: Set<String> = []
        for binding in bindings where !binding.contexts.isDisjoint(with: KeyContext.panes) {
            let keys = binding.keys.map { "`\($0.label)`" }.joined(separator: " ")
            let row = "| \(keys) | \(binding.description.replacing("|", with: "\\|")) |"
            if seen.insert(row).inserted { lines.append(row) }
        }
        return lines.joined(separator: "\n")
    }
}
