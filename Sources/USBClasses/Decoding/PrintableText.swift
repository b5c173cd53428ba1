/// Bytes as text that cannot disturb a terminal.
enum PrintableText {
    /// `"login: "`, cut at 48 characters, with the number of bytes when it was cut.
    static func excerpt(_ bytes: [UInt8], total: Int) -> String {
        let text = quoted(bytes, limit: 48)
        return text.hasSuffix("…") || total > bytes.count ? "\(text) \(total) B" : text
    }

    /// In quotes; control characters and bytes that are not UTF-8 as escapes, cut with `…` at `limit` characters.
    static func quoted(_ bytes: [UInt8], limit: Int) -> String {
        var out = "\""
        var count = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = next(&rest)
            if count + piece.count > limit { return out + "\"…" }
            out += piece
            count += piece.count
        }
        return out + "\""
    }

    /// The next character, escaped when need be.
    private static func next(_ bytes: inout ArraySlice<UInt8>) -> String {
        guard let first = bytes.first else { return "" }
        switch first {
        case UInt8(ascii: "\n"): return consume(&bytes, "\\n")
        case UInt8(ascii: "\r"): return consume(&bytes, "\\r")
        case UInt8(ascii: "\t"): return consume(&bytes, "\\t")
        case UInt8(ascii: "\""): return consume(&bytes, "\\\"")
        case UInt8(ascii: "\\"): return consume(&bytes, "\\\\")
        case 0x20...0x7E: return consume(&bytes, String(UnicodeScalar(first)))
        case 0xC2...0xF4:
            let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
            guard bytes.count >= length, let text = String(validating: bytes.prefix(length), as: UTF8.self),
                let scalar = text.unicodeScalars.first, isShown(scalar)
            else { break }
            bytes = bytes.dropFirst(length)
            return text
        default: break
        }
        return consume(&bytes, "\\x" + Hex.digits(UInt32(first), 2))
    }

    private static func consume(_ bytes: inout ArraySlice<UInt8>, _ text: String) -> String {
        bytes = bytes.dropFirst()
        return text
    }

    /// Letters, marks of punctuation and symbols; nothing that moves, joins or reorders.
    private static func isShown(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .otherSymbol:
            true
        default: false
        }
    }
}
