/// Finds the line of a key in TOML text: the parser checks the grammar, but keeps no positions of values.
///
/// Given text that has parsed, it walks headers, keys, arrays and inline tables and notes the line where each path
/// (`device[0].interfaces[1].kind`) begins.
struct TOMLLocator {
    private(set) var lines: [String: Int] = [:]
    private let text: [UInt8]
    private var position = 0
    private var line = 1
    private var arrayCounts: [String: Int] = [:]

    init(_ source: String) {
        text = Array(source.utf8)
        scan()
    }

    /// The line of a path, or of the nearest path above it that is written out.
    func line(of path: String) -> Int? {
        var path = path
        while true {
            if let line = lines[path] { return line }
            guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            path = String(path[..<cut])
        }
    }

    private mutating func scan() {
        var table = ""
        while position < text.count {
            skipSpaceAndComments(newlines: true)
            guard position < text.count else { return }
            if text[position] == UInt8(ascii: "[") {
                table = header()
            } else {
                pair(in: table)
            }
        }
    }

    /// `[a.b]` or `[[a.b]]`; the latter counts up.
    private mutating func header() -> String {
        let start = line
        position += 1
        let isArray = peek() == UInt8(ascii: "[")
        if isArray { position += 1 }
        var path = keyPath(until: UInt8(ascii: "]"))
        while position < text.count, text[position] == UInt8(ascii: "]") { position += 1 }
        if isArray {
            let index = arrayCounts[path, default: 0]
            arrayCounts[path] = index + 1
            path += "[\(index)]"
        } else if let dot = path.firstIndex(of: "."), let count = arrayCounts[String(path[..<dot])] {
            path = "\(path[..<dot])[\(count - 1)]\(path[dot...])"
        }
        lines[path] = start
        return path
    }

    private mutating func pair(in table: String) {
        skipSpaceAndComments(newlines: true)
        let start = line
        let before = position
        let key = keyPath(until: UInt8(ascii: "="))
        if position < text.count { position += 1 }
        let path = table.isEmpty ? key : "\(table).\(key)"
        lines[path] = lines[path] ?? start
        value(at: path)
        // Text that the parser accepted always moves on; anything else must not hold us here.
        if position == before { position += 1 }
    }

    private mutating func value(at path: String) {
        skipSpaceAndComments(newlines: true)
        switch peek() {
        case UInt8(ascii: "["):
            position += 1
            var index = 0
            while let byte = next(), byte != UInt8(ascii: "]") {
                lines["\(path)[\(index)]"] = line
                value(at: "\(path)[\(index)]")
                index += 1
                if next() == UInt8(ascii: ",") { position += 1 }
            }
            position += 1
        case UInt8(ascii: "{"):
            position += 1
            while let byte = next(), byte != UInt8(ascii: "}") {
                pair(in: path)
                if next() == UInt8(ascii: ",") { position += 1 }
            }
            position += 1
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            string()
        default:
            while let byte = peek(), !Self.endsBareValue(byte) { position += 1 }
        }
    }

    private static func endsBareValue(_ byte: UInt8) -> Bool {
        [10, 13, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#")].contains(byte)
    }

    private mutating func string() {
        guard let quote = peek() else { return }
        let isLong = position + 2 < text.count && text[position + 1] == quote && text[position + 2] == quote
        position += isLong ? 3 : 1
        while let byte = peek() {
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                position += 2
                continue
            }
            if byte == 10 { line += 1 }
            if byte == quote {
                if !isLong {
                    position += 1
                    return
                }
                if position + 2 < text.count, text[position + 1] == quote, text[position + 2] == quote {
                    position += 3
                    return
                }
            }
            position += 1
        }
    }

    private mutating func keyPath(until end: UInt8) -> String {
        var key: [UInt8] = []
        while let byte = peek(), byte != end, byte != 10 {
            if byte != 32, byte != 9, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "'") { key.append(byte) }
            position += 1
        }
        return String(decoding: key, as: UTF8.self)
    }

    /// The next byte that means something.
    private mutating func next() -> UInt8? {
        skipSpaceAndComments(newlines: true)
        return peek()
    }

    private func peek() -> UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpaceAndComments(newlines: Bool) {
        while let byte = peek() {
            if byte == UInt8(ascii: "#") {
                while let byte = peek(), byte != 10 { _ = byte; position += 1 }
            } else if byte == 32 || byte == 9 || byte == 13 {
                position += 1
            } else if byte == 10, newlines {
                line += 1
                position += 1
            } else {
                return
            }
        }
    }
}
