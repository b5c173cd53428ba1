import Foundation

/// A WSDL document and what it imports, which is read as one: says what is still missing, and takes it.
///
/// `wsdl:import` (WSDL 1.1 section 2.1.1), `xs:import` and `xs:include` (XML Schema 1.0 part 1, sections 4.2.3 and 4.2.1).
/// What cannot be had costs its types, not the service: it is told as trouble. Circles end, and all of it is bounded.
public struct WSDLDocuments: Sendable {
    /// Documents with the first one.
    public static let maximumDocuments = 64
    /// Bytes of all documents together.
    public static let maximumBytes = 8 << 20
    /// Imports from the first document to any other.
    public static let maximumDepth = 16
    private static let maximumElements = 400_000
    private static let maximumLinks = 4096
    private static let maximumLocation = 2048
    private static let maximumTroubles = 8

    let root: String
    private(set) var trees: [String: XMLTree] = [:]
    private var wanted: [String] = []
    private var depths: [String: Int] = [:]
    private var bytes = 0
    private var elements = 0
    private var links = 0
    /// What could not be had, in the words of a person.
    public private(set) var troubles: [String] = []

    /// - Parameter location: the document's own URL, which relative ones start from.
    /// - Throws: `ContractError` when it is no WSDL.
    init(_ root: XMLTree, bytes: Int, at location: String) throws(ContractError) {
        try WSDLReader.check(root)
        self.root = location
        self.bytes = bytes
        depths[location] = 0
        elements = root.count
        trees[location] = root
        want(Self.references(of: root), of: location, depth: 0)
    }

    /// The next URL to fetch; nil when there is nothing more.
    public mutating func next() -> String? { wanted.isEmpty ? nil : wanted.removeFirst() }

    /// Bytes that the next document may have.
    public var room: Int { max(0, Self.maximumBytes - bytes) }

    /// Takes a document that was asked for; one that is no schema and no WSDL becomes trouble.
    public mutating func add(_ document: [UInt8], at location: String) {
        guard document.count <= room else {
            return miss(location, "with it the documents have more than \(Self.maximumBytes) bytes")
        }
        bytes += document.count
        do throws(ContractError) {
            let tree = try XMLTree.parse(ServiceDocument.withoutMark(document))
            guard tree.name == WSDLReader.root || tree.name == XSDReader.root else {
                return miss(location, "it is neither a schema nor WSDL: its root is '\(tree.name.local.prefix(40))'")
            }
            let count = tree.count
            guard elements + count <= Self.maximumElements else {
                return miss(location, "with it the documents have more than \(Self.maximumElements) elements")
            }
            elements += count
            trees[location] = tree
            want(Self.references(of: tree), of: location, depth: depths[location] ?? 0)
        } catch {
            miss(location, "\(error)")
        }
    }

    /// Tells of a document that cannot be had.
    public mutating func miss(_ location: String, _ reason: String) {
        if troubles.count < Self.maximumTroubles { troubles.append("\(location.prefix(200)): \(reason)") }
    }

    /// - Throws: `ContractError` that says what the documents lack.
    public mutating func contract() throws(ContractError) -> any ServiceContract {
        var whole = WSDLWhole(self)
        whole.gather()
        for (location, reason) in whole.troubles { miss(location, reason) }
        return try WSDLReader.read(whole.definitions, schemas: whole.schemas)
    }

    /// The URL that a document's reference names, without its fragment; nil when it is none.
    static func resolve(_ reference: String, from location: String) -> String? {
        let reference = reference.trimmingCharacters(in: .whitespacesAndNewlines).prefix { $0 != "#" }
        guard !reference.isEmpty, reference.utf8.count <= maximumLocation, let base = URL(string: location),
            let url = URL(string: String(reference), relativeTo: base)?.absoluteURL.standardized
        else { return nil }
        return url.absoluteString
    }

    private mutating func want(_ references: [String], of location: String, depth: Int) {
        for reference in references {
            links += 1
            guard links <= Self.maximumLinks else {
                return miss(location, "more than \(Self.maximumLinks) imports")
            }
            guard let target = Self.resolve(reference, from: location) else {
                miss(location, "it imports '\(reference.prefix(80))', which is no URL")
                continue
            }
            guard depths[target] == nil else { continue }
            guard depth < Self.maximumDepth else {
                miss(target, "imports within imports deeper than \(Self.maximumDepth)")
                continue
            }
            guard depths.count < Self.maximumDocuments else {
                return miss(target, "more than \(Self.maximumDocuments) documents")
            }
            depths[target] = depth + 1
            wanted.append(target)
        }
    }

    private static func references(of tree: XMLTree) -> [String] {
        guard tree.name == WSDLReader.root else { return XSDReader.links(of: tree).map(\.reference) }
        let schemas = WSDLReader.schemas(of: tree).flatMap { XSDReader.links(of: $0).map(\.reference) }
        return WSDLReader.links(of: tree) + schemas
    }
}
