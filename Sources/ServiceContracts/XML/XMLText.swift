/// The text of an XML document, whichever encoding it came in.
enum XMLText {
    /// Decodes by the XML declaration (XML 1.0 section 4.3.3) and leaves that out of the result: what follows is handed on
    /// as UTF-8, and the parser trusts what it is given.
    static func decode(_ bytes: [UInt8]) throws(ContractError) -> String {
        guard !bytes.contains(0) else { throw .badXML("it contains a NUL, as UTF-16 does; UTF-8 is understood") }
        let (declaration, rest) = split(bytes[...])
        switch encoding(declaration) {
        case "utf-8", "us-ascii", "ascii":
            guard let text = String(validating: rest, as: UTF8.self) else {
                throw .badXML("it is not in the UTF-8 that it says it is")
            }
            return text
        case "iso-8859-1", "latin1":
            var text = String.UnicodeScalarView()
            for byte in rest { text.append(Unicode.Scalar(byte)) }
            return String(text)
        case let other:
            throw .badXML("its encoding is '\(other.prefix(40))'; UTF-8 and ISO-8859-1 are understood")
        }
    }

    private static func split(_ bytes: ArraySlice<UInt8>) -> (declaration: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
        let end = Array("?>".utf8)
        guard bytes.starts(with: "<?xml ".utf8), let close = bytes.prefix(1024).firstRange(of: end) else {
            return ([], bytes)
        }
        return (bytes[..<close.lowerBound], bytes[close.upperBound...])
    }

    private static func encoding(_ declaration: ArraySlice<UInt8>) -> String {
        guard let name = declaration.firstRange(of: Array("encoding".utf8)) else { return "utf-8" }
        let value = declaration[name.upperBound...].drop { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
        guard let quote = value.first else { return "utf-8" }
        return String(decoding: value.dropFirst().prefix { $0 != quote }, as: UTF8.self).lowercased()
    }
}
