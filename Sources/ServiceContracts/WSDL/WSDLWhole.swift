/// All documents of a WSDL in the order in which they can be read: what is imported before what imports it.
struct WSDLWhole {
    /// A chain of imports may be longer than the shortest way to its end; this is what the stack is asked to hold.
    private static let maximumDepth = 100
    /// Elements of schemas that are copied because they take the namespace of who includes them.
    private static let maximumCopied = 100_000

    private let documents: WSDLDocuments
    private var visited: Set<String> = []
    private var copied = 0
    private(set) var definitions: [XMLTree] = []
    private(set) var schemas: [XMLTree] = []
    private(set) var troubles: [(location: String, reason: String)] = []

    init(_ documents: WSDLDocuments) { self.documents = documents }

    mutating func gather() {
        guard let root = documents.trees[documents.root] else { return }
        visited.insert(documents.root)
        add(definitions: root, at: documents.root, depth: 0)
    }

    private mutating func add(definitions tree: XMLTree, at location: String, depth: Int) {
        guard isAllowed(depth, location) else { return }
        for reference in WSDLReader.links(of: tree) {
            guard let (target, imported) = find(reference, from: location), visited.insert(target).inserted else {
                continue
            }
            if imported.name == WSDLReader.root {
                add(definitions: imported, at: target, depth: depth + 1)
            } else {
                add(schema: imported, at: target, depth: depth + 1)
            }
        }
        for schema in WSDLReader.schemas(of: tree) { add(schema: schema, at: location, depth: depth + 1) }
        definitions.append(tree)
    }

    private mutating func add(schema tree: XMLTree, at location: String, depth: Int) {
        guard isAllowed(depth, location) else { return }
        let namespace = tree.attributes["targetNamespace"] ?? ""
        for link in XSDReader.links(of: tree) {
            guard let (target, linked) = find(link.reference, from: location) else { continue }
            guard linked.name == XSDReader.root else {
                troubles.append((target, "it is WSDL, where a schema is imported"))
                continue
            }
            let found = linked.attributes["targetNamespace"] ?? ""
            // XML Schema 1.0 part 1, section 4.2.1: an included schema without a namespace takes the including one's.
            let takes = link.isInclude && found.isEmpty && !namespace.isEmpty
            let expected = link.isInclude ? namespace : link.namespace
            guard takes || found == expected else {
                troubles.append(
                    (target, "its namespace is '\(found.prefix(80))', where '\(expected.prefix(80))' is expected"))
                continue
            }
            guard visited.insert(takes ? "\(target) \(namespace)" : target).inserted else { continue }
            guard takes else {
                add(schema: linked, at: target, depth: depth + 1)
                continue
            }
            copied += linked.count
            guard copied <= Self.maximumCopied else {
                troubles.append((target, "more than \(Self.maximumCopied) elements are included into other namespaces"))
                continue
            }
            add(schema: linked.taking(namespace), at: target, depth: depth + 1)
        }
        schemas.append(tree)
    }

    private mutating func isAllowed(_ depth: Int, _ location: String) -> Bool {
        if depth > Self.maximumDepth {
            troubles.append((location, "imports within imports deeper than \(Self.maximumDepth)"))
        }
        return depth <= Self.maximumDepth
    }

    private func find(_ reference: String, from location: String) -> (String, XMLTree)? {
        guard let target = WSDLDocuments.resolve(reference, from: location), let tree = documents.trees[target] else {
            return nil
        }
        return (target, tree)
    }
}

extension XMLTree {
    /// Elements, with itself.
    var count: Int { children.reduce(1) { $0 + $1.count } }

    /// A schema without a namespace as part of another one: names without a prefix are of that one, too.
    fileprivate func taking(_ namespace: String) -> XMLTree {
        var result = defaulting(namespace)
        result.attributes["targetNamespace"] = namespace
        return result
    }

    private func defaulting(_ namespace: String) -> XMLTree {
        var result = self
        if (prefixes[""] ?? "").isEmpty { result.prefixes[""] = namespace }
        result.children = children.map { $0.defaulting(namespace) }
        return result
    }
}
