/// Finds the line of each key in TOML text: the parser checks the grammar, but keeps no positions of values.
///
/// It walks headers, keys, arrays and inline tables and notes the line where each path (`device[0].interfaces[1].kind`)
/// begins. It takes any text, also such that is no TOML, always ends, and stops at text nested so deeply that a parser
/// that recurses should not see it.
struct TOMLLocator {
    /// Arrays and inline tables within each other.
    static let maximumDepth = 32
    /// Parts of a dotted key.
    static let maximumKeyParts = 16
    /// Positions kept; a configuration has far fewer keys.
    private static let maximumPaths = 100_000

    private(set) var lines: [String: Int] = [:]
    /// The line on which the text goes deeper than allowed; nothing after it has been looked at.
    private(set) var tooDeep: Int?
    /// The line of a table header that does not begin with a key, or of a key or list without a value where one must
    /// be: toml++ takes it for granted that they do, and traps or worse otherwise.
    private(set) var missing: (line: Int, what: String)?
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
            // An array of tables begins with its first one.
            if let line = lines[path] ?? lines["\(path)[0]"] { return line }
            guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            path = String(path[..<cut])
        }
    }

    // MARK: Grammar; each step moves on or ends

    private mutating func scan() {
        var table = ""
        while tooDeep == nil, missing == nil, let byte = next() {
            if byte == UInt8(ascii: "[") { table = header() } else { pair(in: table, depth: 0) }
        }
    }

    /// `[a.b]` or `[[a.b]]`; the latter counts up.
    private mutating func header() -> String {
        let start = line
        position += 1
        let isArray = peek() == UInt8(ascii: "[")
        if isArray { position += 1 }
        while let byte = peek(), byte == 32 || byte == 9 { position += 1 }
        guard let first = peek(), Self.beginsKey(first) else {
            missing = (start, "a table header without a name")
            return ""
        }
        let parts = keyParts(until: UInt8(ascii: "]"))
        while let byte = peek(), byte == UInt8(ascii: "]") { position += 1 }
        var path = ""
        for (number, part) in parts.enumerated() {
            path += path.isEmpty ? part : ".\(part)"
            let count = arrayCounts[path, default: 0]
            if isArray, number == parts.count - 1 {
                arrayCounts[path] = count + 1
                note(path, start)
                path += "[\(count)]"
            } else if count > 0 {
                // A part that names an array of tables means its latest.
                path += "[\(count - 1)]"
            }
        }
        note(path, start)
        return path
    }

    private mutating func pair(in table: String, depth: Int) {
        let (start, before) = (line, position)
        let parts = keyParts(until: UInt8(ascii: "="))
        var path = table
        for part in parts {
            path += path.isEmpty ? part : ".\(part)"
            note(path, start)
        }
        if peek() == UInt8(ascii: "=") {
            position += 1
            while let byte = peek(), byte == 32 || byte == 9 { position += 1 }
            value(at: path, depth: depth)
        }
        // Text that the parser accepts always moves on; anything else must not hold us here.
        if position == before { position += 1 }
    }

    private mutating func value(at path: String, depth: Int) {
        guard depth < Self.maximumDepth else {
            tooDeep = tooDeep ?? line
            return
        }
        guard let byte = peek(), !Self.endsBareValue(byte) else {
            missing = missing ?? (line, "no value where one must be")
            return
        }
        switch byte {
        case UInt8(ascii: "["):
            position += 1
            var index = 0
            while tooDeep == nil, missing == nil, let byte = next(), byte != UInt8(ascii: "]") {
                let before = position
                note("\(path)[\(index)]", line)
                value(at: "\(path)[\(index)]", depth: depth + 1)
                index += 1
                if next() == UInt8(ascii: ",") { position += 1 }
                if position == before { position += 1 }
            }
            position += 1
        case UInt8(ascii: "{"):
            position += 1
            while tooDeep == nil, missing == nil, let byte = next(), byte != UInt8(ascii: "}") {
                pair(in: path, depth: depth + 1)
                if next() == UInt8(ascii: ",") { position += 1 }
            }
            position += 1
        case UInt8(ascii: "\""), UInt8(ascii: "'"): string()
        default:
            while let byte = peek(), !Self.endsBareValue(byte) { position += 1 }
        }
    }

    private static func beginsKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "\""),
            UInt8(ascii: "'"):
            true
        default: false
        }
    }

    private static func endsBareValue(_ byte: UInt8) -> Bool {
        switch byte {
        case 10, 13, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"): true
        default: false
        }
    }

    /// Skips a string of any of the four kinds.
    private mutating func string() {
        guard let quote = peek() else { return }
        let isLong = peek(1) == quote && peek(2) == quote
        position += isLong ? 3 : 1
        while let byte = peek() {
            if byte == quote, !isLong || (peek(1) == quote && peek(2) == quote) {
                position += isLong ? 3 : 1
                // A long string may end in up to two quotes of its own.
                while isLong, peek() == quote { position += 1 }
                return
            }
            if byte == 10 {
                // Only long strings go on; the parser refuses others.
                guard isLong else { return }
                line += 1
            }
            let isEscape = byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"")
            position += isEscape && peek(1) != 10 ? 2 : 1
        }
    }

    /// `a . "b.c" . d`; stops before `end`, or at the end of the line.
    private mutating func keyParts(until end: UInt8) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        while let byte = peek(), byte != end, byte != 10 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let start = position + 1
                string()
                part += text[min(start, position)..<max(min(start, position), min(position - 1, text.count))]
                continue
            case UInt8(ascii: "."):
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                if parts.count >= Self.maximumKeyParts {
                    tooDeep = tooDeep ?? line
                    return parts
                }
            case 32, 9, 13: break
            default: part.append(byte)
            }
            position += 1
        }
        return parts + [String(decoding: part, as: UTF8.self)]
    }

    private mutating func note(_ path: String, _ line: Int) {
        guard lines.count < Self.maximumPaths, lines[path] == nil else { return }
        lines[path] = line
    }

    // MARK: Bytes

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < text.count ? text[position + offset] : nil
    }

    /// The next byte that means something: neither space nor comment.
    private mutating func next() -> UInt8? {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "#"):
                while let byte = peek(), byte != 10 {
                    _ = byte
                    position += 1
                }
            case 10:
                line += 1
                position += 1
            case 32, 9, 13: position += 1
            default: return byte
            }
        }
        return nil
    }
}
