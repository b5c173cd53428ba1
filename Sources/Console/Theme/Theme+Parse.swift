/// What is wrong with a theme file; the message names the role, what was found and what is allowed.
public struct ThemeError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
}

extension Theme {
    /// A theme from the strings of a decoded file.
    ///
    /// `sections[""]` holds the keys outside any table: `name` and one key per role, each
    /// `"RGB | ANSI | mono"`, where RGB is `#rrggbb`, ANSI is 0–15, both may say `FOREGROUND on BACKGROUND` or
    /// `default`, and mono is `-` or words of bold, dim, underline, reverse, italic. Columns may be left out from the
    /// right. `$name` stands for the colour of that name in the table `palette`.
    public static func parse(_ sections: [String: [String: String]]) throws(ThemeError) -> Theme {
        var values = sections[""] ?? [:]
        guard let name = values.removeValue(forKey: "name"), !name.isEmpty else {
            throw ThemeError(description: "name: missing; give the theme a name = \"…\"")
        }
        for section in sections.keys.sorted() where section != "" && section != "palette" {
            throw ThemeError(description: "[\(section)]: unknown table; allowed is [palette]")
        }
        let palette = sections["palette"] ?? [:]
        var styles: [StyleRole: StyleSpec] = [:]
        for key in values.keys.sorted() {
            guard let role = StyleRole(rawValue: key) else {
                let roles = StyleRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw ThemeError(description: "\(key): unknown role; allowed are \(roles)")
            }
            styles[role] = try StyleSpec.parse(values[key] ?? "", role: key, palette: palette)
        }
        let missing = StyleRole.allCases.filter { styles[$0] == nil }
        guard missing.isEmpty else {
            throw ThemeError(
                description: "\(missing.map(\.rawValue).joined(separator: ", ")): missing; every role must be there")
        }
        return Theme(name: name, styles: styles)
    }
}

extension StyleSpec {
    /// One value of a theme file.
    static func parse(_ text: String, role: String, palette: [String: String]) throws(ThemeError) -> StyleSpec {
        let columns = text.split(separator: "|", omittingEmptySubsequences: false).map { trim($0) }
        guard columns.count <= 3 else {
            throw ThemeError(description: "\(role): found '\(text)'; allowed are three columns, \"RGB | ANSI | mono\"")
        }
        var spec = StyleSpec()
        let rgb = try halves(columns[0], role)
        spec.foreground = try rgbColour(rgb.0, role, palette)
        spec.background = try rgbColour(rgb.1, role, palette)
        if columns.count > 1 {
            let ansi = try halves(columns[1], role)
            spec.ansiForeground = try ansiColour(ansi.0, role)
            spec.ansiBackground = try ansiColour(ansi.1, role)
        }
        if columns.count > 2 { spec.mono = try attributes(columns[2], role) }
        return spec
    }

    private static func trim(_ text: Substring) -> String {
        text.split(separator: " ").joined(separator: " ")
    }

    /// Both sides of `on`.
    private static func halves(_ text: String, _ role: String) throws(ThemeError) -> (String, String) {
        let words = text.split(separator: " ").map(String.init)
        switch words.count {
        case 0: return ("default", "default")
        case 1: return (words[0], "default")
        case 3 where words[1] == "on": return (words[0], words[2])
        default: throw ThemeError(description: "\(role): found '\(text)'; allowed is COLOUR or COLOUR on COLOUR")
        }
    }

    private static func rgbColour(_ text: String, _ role: String, _ palette: [String: String]) throws(ThemeError)
        -> RGB?
    {
        if text == "default" || text == "-" { return nil }
        var value = text
        if text.first == "$" {
            guard let found = palette[String(text.dropFirst())] else {
                let names = palette.keys.sorted().map { "$" + $0 }.joined(separator: ", ")
                throw ThemeError(
                    description: "\(role): found '\(text)'; the palette has \(names.isEmpty ? "nothing" : names)")
            }
            value = found
        }
        let digits = value.dropFirst()
        guard value.first == "#", digits.count == 6, digits.allSatisfy(\.isASCII),
            let number = UInt32(digits, radix: 16),
            digits.first != "+"
        else {
            throw ThemeError(description: "\(role): found '\(value)'; allowed is #rrggbb, $name or default")
        }
        return RGB(UInt8(number >> 16), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF))
    }

    private static func ansiColour(_ text: String, _ role: String) throws(ThemeError) -> UInt8? {
        if text == "default" || text == "-" { return nil }
        guard let number = UInt8(text), number < 16 else {
            throw ThemeError(description: "\(role): found '\(text)'; allowed is 0 to 15 or default")
        }
        return number
    }

    private static func attributes(_ text: String, _ role: String) throws(ThemeError) -> CellAttributes {
        if text == "-" || text.isEmpty { return [] }
        let names: [String: CellAttributes] = [
            "bold": .bold, "dim": .dim, "underline": .underline, "reverse": .reverse, "italic": .italic,
        ]
        var attributes: CellAttributes = []
        for word in text.split(separator: " ") {
            guard let attribute = names[String(word)] else {
                let allowed = names.keys.sorted().joined(separator: ", ")
                throw ThemeError(description: "\(role): found '\(word)'; allowed is - or words of \(allowed)")
            }
            attributes.insert(attribute)
        }
        return attributes
    }
}
