/// Parses one JSON text (RFC 8259) in time linear in its length, with bounded nesting.
///
/// Foundation's decoder must guess each value's type by trial: 4 MiB of small numbers took it 23 s, which a hostile
/// peer could make an event loop spend for every line.
struct JSONParser {
    /// What is wrong, and at which byte.
    struct Malformed: Error, Equatable {
        let offset: Int
        let problem: String
    }

    /// QMP nests a handful of levels.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0

    static func parse(_ bytes: some Sequence<UInt8>) throws(Malformed) -> JSONValue {
        var parser = JSONParser(bytes: Array(bytes))
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.position == parser.bytes.count else { throw parser.malformed("text after the value") }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func malformed(_ problem: String) -> Malformed { Malformed(offset: position, problem: problem) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    /// Skips blanks, and takes the byte if it comes next.
    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard current == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        guard depth < Self.maximumDepth else { throw malformed("nested too deeply") }
        skipBlanks()
        guard let byte = current else { throw malformed("the text ends early") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw malformed("no value starts like this")
        }
    }

    private mutating func object(depth: Int) throws(Malformed) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw malformed("a member needs a name") }
            let name = try string()
            guard take(":") else { throw malformed("a colon is missing") }
            members[name] = try value(depth: depth + 1)
        } while take(",")
        guard take("}") else { throw malformed("the object is not closed") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Malformed) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        if take("]") { return .array(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw malformed("the array is not closed") }
        return .array(elements)
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard matches else { throw malformed("no value starts like this") }
        position += word.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = position
        while let byte = current, Self.isInNumber(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let integer = Int64(text) { return .int(integer) }
        guard let double = Double(text), double.isFinite else { throw malformed("not a number") }
        return .double(double)
    }

    private static func isInNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func string() throws(Malformed) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            // Ill-formed UTF-8 becomes U+FFFD.
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
            case 0..<0x20: throw malformed("a control character in a string")
            default: text.append(byte)
            }
        }
        throw malformed("the string is not closed")
    }

    private mutating func escape() throws(Malformed) -> String {
        guard let byte = current else { throw malformed("the string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return String(Unicode.Scalar(byte))
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: [0x5c, 0x75]) {
                position += 2
                units.append(try codeUnit())
            }
            return String(decoding: units, as: UTF16.self)
        default: throw malformed("an unknown escape")
        }
    }

    private mutating func codeUnit() throws(Malformed) -> UInt16 {
        let end = position + 4
        guard end <= bytes.count, let unit = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw malformed("\\u needs four hexadecimal digits") }
        position = end
        return unit
    }
}
