import Foundation

#if canImport(FoundationXML)
import FoundationXML
#endif

/// A name in its namespace (Namespaces in XML 1.0).
struct QName: Hashable, Sendable, CustomStringConvertible {
    var namespace: String
    var local: String

    init(_ namespace: String, _ local: String) {
        self.namespace = namespace
        self.local = local
    }

    var description: String { local }
}

/// One element of a parsed document; immutable once parsed.
struct XMLTree: Sendable {
    var name: QName
    /// Without a prefix by name; with one as `{namespace}name`.
    var attributes: [String: String]
    /// Prefixes in force.
    var prefixes: [String: String]
    var children: [XMLTree]
    /// Its own character data, in one piece.
    var text: String

    func children(_ local: String, _ namespace: String? = nil) -> [XMLTree] {
        children.filter { $0.name.local == local && (namespace == nil || $0.name.namespace == namespace) }
    }

    func first(_ local: String, _ namespace: String? = nil) -> XMLTree? {
        children.first { $0.name.local == local && (namespace == nil || $0.name.namespace == namespace) }
    }

    /// Resolves a qualified name in an attribute's value or a text: `tns:Order`.
    func resolve(_ text: String) -> QName {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return QName(prefixes[""] ?? "", text) }
        return QName(prefixes[String(parts[0])] ?? "", String(parts[1]))
    }

    func qualified(_ attribute: String) -> QName? { attributes[attribute].map(resolve) }

    var trimmedText: String { text.trimmingCharacters(in: .whitespacesAndNewlines) }

    /// - Throws: `ContractError.badXML` or `.tooLarge`. A document type is refused: with it come entities that name files
    ///   or grow without end, and nothing of what is read here has one.
    static func parse(_ bytes: [UInt8]) throws(ContractError) -> XMLTree {
        let text = try XMLText.decode(bytes)
        guard text.firstRange(of: "<!DOCTYPE") == nil else {
            throw .badXML("it has a document type, which nothing that is read here needs")
        }
        let parser = XMLParser(data: Data(text.utf8))
        parser.shouldProcessNamespaces = false
        parser.shouldResolveExternalEntities = false
        let builder = XMLTreeBuilder()
        parser.delegate = builder
        let isWhole = parser.parse()
        if let failure = builder.failure { throw failure }
        guard isWhole, let root = builder.root else {
            let place = parser.lineNumber > 0 ? "line \(parser.lineNumber)" : "the beginning"
            throw .badXML("a mistake at \(place)")
        }
        return root
    }
}

/// Builds the tree, with namespaces resolved, from the parser's events.
private final class XMLTreeBuilder: NSObject, XMLParserDelegate {
    private static let maximumElements = 200_000
    private static let maximumDepth = 200

    var root: XMLTree?
    var failure: ContractError?
    private var open: [XMLTree] = []
    private var count = 0

    func parser(
        _ parser: XMLParser, didStartElement elementName: String, namespaceURI: String?,
        qualifiedName: String?, attributes given: [String: String]
    ) {
        count += 1
        guard count <= Self.maximumElements, open.count < Self.maximumDepth else {
            fail(parser, .tooLarge("more than \(Self.maximumElements) elements, or deeper than \(Self.maximumDepth)"))
            return
        }
        var prefixes = open.last?.prefixes ?? ["xml": "http://www.w3.org/XML/1998/namespace"]
        var attributes: [String: String] = [:]
        for (name, value) in given {
            if name == "xmlns" {
                prefixes[""] = value
            } else if name.hasPrefix("xmlns:") {
                prefixes[String(name.dropFirst(6))] = value
            }
        }
        for (name, value) in given where name != "xmlns" && !name.hasPrefix("xmlns:") {
            let parts = name.split(separator: ":", maxSplits: 1)
            if parts.count == 2 {
                attributes["{\(prefixes[String(parts[0])] ?? "")}\(parts[1])"] = value
            } else {
                attributes[name] = value
            }
        }
        var element = XMLTree(
            name: QName("", ""), attributes: attributes, prefixes: prefixes, children: [], text: "")
        element.name = element.resolve(elementName)
        open.append(element)
    }

    func parser(
        _ parser: XMLParser, didEndElement elementName: String, namespaceURI: String?, qualifiedName: String?
    ) {
        guard let element = open.popLast() else { return }
        if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if !open.isEmpty { open[open.count - 1].text += string }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        if !open.isEmpty { open[open.count - 1].text += String(decoding: block, as: UTF8.self) }
    }

    private func fail(_ parser: XMLParser, _ error: ContractError) {
        if failure == nil { failure = error }
        parser.abortParsing()
    }
}

/// Text as character data or an attribute's value.
func escapedXML(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "\r": result += "&#13;"
        case "\t", "\n": result.unicodeScalars.append(scalar)
        // XML 1.0 has no way to write these.
        case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
            result.unicodeScalars.append("\u{FFFD}")
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
