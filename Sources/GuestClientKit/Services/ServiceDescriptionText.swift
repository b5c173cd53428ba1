/// A service's description, as the directory sends it, in lines for people.
struct ServiceDescriptionText {
    private static let maximumDepth = 16
    private(set) var lines: [String] = []

    init(_ json: JSONValue) {
        let words = json["description"]?.string ?? ""
        lines.append(
            "\(clean(json["name"]?.string)) (\(clean(json["kind"]?.string)))"
                + (words.isEmpty ? "" : ": \(clean(words))"))
        for operation in json["operations"]?.array ?? [] {
            let words = clean(operation["description"]?.string)
            lines.append("")
            lines.append("  \(clean(operation["name"]?.string))" + (words.isEmpty ? "" : "  - \(words)"))
            for field in operation["input"]?.array ?? [] { add(field, arrow: "<-", depth: 0) }
            for field in operation["output"]?.array ?? [] { add(field, arrow: "->", depth: 0) }
        }
    }

    private func clean(_ text: String?) -> String { SystemFile.printable((text ?? "").utf8) }

    private mutating func add(_ field: JSONValue, arrow: String, depth: Int) {
        guard depth < Self.maximumDepth else { return }
        var line = "    " + String(repeating: "  ", count: depth) + "\(arrow) \(clean(field["name"]?.string)): "
        line += clean(field["type"]?.string) + (field["repeated"]?.bool == true ? " (list)" : "")
        if arrow == "<-", field["required"]?.bool == true { line += ", required" }
        if let values = field["values"]?.array {
            line += ", one of " + values.map { clean($0.string) }.joined(separator: "|")
        }
        if let words = field["description"]?.string, !words.isEmpty { line += "  - \(clean(words))" }
        lines.append(line)
        for inner in field["fields"]?.array ?? [] { add(inner, arrow: arrow, depth: depth + 1) }
    }
}
