import Console
import TOMLKit

/// A theme's file: one string per role, `"rgb on rgb | ansi on ansi | attributes"`, each column for the terminals that
/// can show it; `$name` stands for the same column of that line of `[palette]`.
struct ThemeFile {
    /// Larger files are no themes.
    static let maximumSize = 64 << 10

    private let file: String
    private let palette: [String: String]

    /// - Parameters:
    ///   - name: what the theme is called on the command line.
    ///   - file: the name that messages use.
    static func parse(_ text: String, name: String, file: String) throws(ThemeError) -> Theme {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw .file("\(file):\(error.source.begin.line)", error.description)
        } catch {
            throw .file(file, "\(error)")
        }
        var palette: [String: String] = [:]
        if let entries = table["palette"] {
            guard let entries = entries.table else { throw .file(file, "palette: allowed: a table of colours") }
            for (key, value) in entries {
                guard let text = value.string else { throw .file(file, "palette.\(key): allowed: a string") }
                palette[key] = text
            }
        }
        let reader = ThemeFile(file: file, palette: palette)
        var styles: [StyleRole: StyleSpec] = [:]
        for (key, value) in table where key != "palette" && key != "name" {
            guard let role = StyleRole(rawValue: key) else {
                let roles = StyleRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw .file(file, "\(key): there is no such role; allowed: name, palette, \(roles)")
            }
            guard let text = value.string else { throw .file(file, "\(key): allowed: a string in quotes") }
            styles[role] = try reader.style(text, role: key)
        }
        let missing = StyleRole.allCases.filter { styles[$0] == nil }.map(\.rawValue)
        guard missing.isEmpty else { throw .file(file, "missing roles: \(missing.joined(separator: ", "))") }
        return Theme(name: name, styles: styles)
    }

    private func style(_ text: String, role: String) throws(ThemeError) -> StyleSpec {
        let columns = Self.columns(text.hasPrefix("$") && !text.contains("|") ? try entry(text, role) : text)
        guard columns.count <= 3 else {
            throw .role(role, in: file, found: text, allowed: "\"rgb | ansi | attributes\"")
        }
        var spec = StyleSpec()
        if !columns.isEmpty {
            let (foreground, background) = try colors(columns[0], column: 0, role)
            spec.foreground = try foreground.map { word throws(ThemeError) in try rgb(word, role) }
            spec.background = try background.map { word throws(ThemeError) in try rgb(word, role) }
        }
        if columns.count > 1 {
            let (foreground, background) = try colors(columns[1], column: 1, role)
            spec.ansiForeground = try foreground.map { word throws(ThemeError) in try ansi(word, role) }
            spec.ansiBackground = try background.map { word throws(ThemeError) in try ansi(word, role) }
        }
        if columns.count > 2 { spec.mono = try attributes(columns[2], role) }
        return spec
    }

    /// `fg`, `fg on bg` or `on bg`; a colour that is the terminal's own is nil.
    private func colors(_ text: String, column: Int, _ role: String) throws(ThemeError) -> (String?, String?) {
        var words: [String] = []
        for word in text.split(separator: " ").map(String.init) {
            guard word.hasPrefix("$") else {
                words.append(word)
                continue
            }
            let columns = Self.columns(try entry(word, role))
            words.append(columns.indices.contains(column) ? columns[column] : "-")
        }
        func color(_ word: String) -> String? { word == "-" || word == "default" ? nil : word }
        switch (words.count, words.first, words.dropFirst().first) {
        case (1, let foreground?, _) where foreground != "on": return (color(foreground), nil)
        case (2, "on", let background?): return (nil, color(background))
        case (3, let foreground?, "on"): return (color(foreground), color(words[2]))
        default:
            throw .role(role, in: file, found: text, allowed: "a colour, or \"colour on colour\", or -")
        }
    }

    private func entry(_ reference: String, _ role: String) throws(ThemeError) -> String {
        let name = String(reference.dropFirst())
        guard let entry = palette[name], !entry.contains("$") else {
            let known = palette.keys.sorted().map { "$" + $0 }.joined(separator: ", ")
            throw .role(
                role, in: file, found: reference, allowed: known.isEmpty ? "names of a [palette] table" : known)
        }
        return entry
    }

    private func rgb(_ word: String, _ role: String) throws(ThemeError) -> RGB {
        let digits = word.dropFirst()
        guard word.hasPrefix("#"), digits.count == 6, digits.allSatisfy(\.isHexDigit),
            let value = UInt32(digits, radix: 16)
        else { throw .role(role, in: file, found: word, allowed: "#rrggbb, default or -") }
        return RGB(
            UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value))
    }

    private func ansi(_ word: String, _ role: String) throws(ThemeError) -> UInt8 {
        guard let value = UInt8(word), value < 16 else {
            throw .role(role, in: file, found: word, allowed: "an ANSI colour from 0 to 15, default or -")
        }
        return value
    }

    private func attributes(_ text: String, _ role: String) throws(ThemeError) -> CellAttributes {
        let known: [String: CellAttributes] = [
            "-": [], "bold": .bold, "dim": .dim, "underline": .underline, "reverse": .reverse, "italic": .italic,
        ]
        var result: CellAttributes = []
        for word in text.split(separator: " ") {
            guard let attribute = known[String(word)] else {
                throw .role(
                    role, in: file, found: String(word), allowed: "bold, dim, underline, reverse, italic or -")
            }
            result.formUnion(attribute)
        }
        return result
    }

    private static func columns(_ text: String) -> [String] {
        let columns = text.split(separator: "|", omittingEmptySubsequences: false).map {
            $0.split(separator: " ").joined(separator: " ")
        }
        return columns == ["default"] ? [] : columns
    }
}
