extension JSONValue {
    /// Why a text is no JSON, with the byte where that shows.
    struct ParseError: Error, Equatable {
        var offset: Int
    }

    /// Deeper than any message of ours.
    private static let maximumDepth = 64

    /// Parses one value that fills `text` (RFC 8259). A number that is no integer of 64 bits is `null`: nothing here
    /// uses one.
    init(parsing text: [UInt8]) throws(ParseError) {
        var parser = Parser(text: text)
        self = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.offset == text.count else { throw ParseError(offset: parser.offset) }
    }

    /// The member of an object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.0 == name }?.1
    }

    /// The first member of an object, which of a message says what it is.
    var firstMember: (name: String, value: JSONValue)? {
        guard case .object(let members) = self, let first = members.first else { return nil }
        return (first.0, first.1)
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var array: [JSONValue]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    var integer: Int? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    private struct Parser {
        let text: [UInt8]
        var offset = 0

        private var failure: ParseError { ParseError(offset: offset) }

        mutating func skipSpace() {
            while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { offset += 1 }
        }

        private var next: UInt8? { offset < text.count ? text[offset] : nil }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            offset += 1
            return true
        }

        private mutating func expect(_ byte: UInt8) throws(ParseError) {
            guard take(byte) else { throw failure }
        }

        mutating func value(depth: Int) throws(ParseError) -> JSONValue {
            guard depth < JSONValue.maximumDepth else { throw failure }
            skipSpace()
            switch next {
            case UInt8(ascii: "{")?: return try object(depth)
            case UInt8(ascii: "[")?: return try array(depth)
            case UInt8(ascii: "\"")?: return .string(try quoted())
            case UInt8(ascii: "t")?: return try word("true", .bool(true))
            case UInt8(ascii: "f")?: return try word("false", .bool(false))
            case UInt8(ascii: "n")?: return try word("null", .null)
            default: return try number()
            }
        }

        private mutating func word(_ word: String, _ value: JSONValue) throws(ParseError) -> JSONValue {
            guard text[offset...].starts(with: word.utf8) else { throw failure }
            offset += word.utf8.count
            return value
        }

        private mutating func object(_ depth: Int) throws(ParseError) -> JSONValue {
            var members: [(String, JSONValue)] = []
            offset += 1
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object([]) }
            while true {
                skipSpace()
                guard next == UInt8(ascii: "\"") else { throw failure }
                let name = try quoted()
                skipSpace()
                try expect(UInt8(ascii: ":"))
                members.append((name, try value(depth: depth + 1)))
                skipSpace()
                if take(UInt8(ascii: "}")) { return .object(members) }
                try expect(UInt8(ascii: ","))
            }
        }

        private mutating func array(_ depth: Int) throws(ParseError) -> JSONValue {
            var items: [JSONValue] = []
            offset += 1
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array([]) }
            while true {
                items.append(try value(depth: depth + 1))
                skipSpace()
                if take(UInt8(ascii: "]")) { return .array(items) }
                try expect(UInt8(ascii: ","))
            }
        }

        private mutating func number() throws(ParseError) -> JSONValue {
            let start = offset
            while let byte = next, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) { offset += 1 }
            guard offset > start, text[start..<offset].contains(where: { (0x30...0x39).contains($0) }) else {
                throw failure
            }
            let digits = String(decoding: text[start..<offset], as: UTF8.self)
            return Int(digits).map { .number($0) } ?? .null
        }

        private mutating func quoted() throws(ParseError) -> String {
            offset += 1
            var units: [UInt8] = []
            while let byte = next {
                offset += 1
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
                case UInt8(ascii: "\\"): units += Array(String(try escaped()).utf8)
                case ..<0x20: throw failure
                default: units.append(byte)
                }
            }
            throw failure
        }

        private mutating func escaped() throws(ParseError) -> Unicode.Scalar {
            guard let byte = next else { throw failure }
            offset += 1
            switch byte {
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
            case UInt8(ascii: "u"): return try codePoint()
            default: throw failure
            }
        }

        private mutating func codePoint() throws(ParseError) -> Unicode.Scalar {
            let first = try codeUnit()
            if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
            // A surrogate pair; half of one is replaced.
            guard (0xD800..<0xDC00).contains(first), next == UInt8(ascii: "\\"), offset + 1 < text.count,
                text[offset + 1] == UInt8(ascii: "u")
            else { return "\u{FFFD}" }
            offset += 2
            let second = try codeUnit()
            guard (0xDC00..<0xE000).contains(second) else { return "\u{FFFD}" }
            return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + UInt32(second) - 0xDC00) ?? "\u{FFFD}"
        }

        private mutating func codeUnit() throws(ParseError) -> UInt16 {
            guard offset + 4 <= text.count,
                text[offset..<offset + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                let unit = UInt16(String(decoding: text[offset..<offset + 4], as: UTF8.self), radix: 16)
            else { throw failure }
            offset += 4
            return unit
        }
    }
}
