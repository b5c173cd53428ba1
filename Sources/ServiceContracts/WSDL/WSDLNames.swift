/// Parts of one kind, such as messages, by their names in their documents' target namespaces (WSDL 1.1 section 2.1.1).
struct WSDLNames {
    private var exact: [QName: XMLTree] = [:]
    private var local: [String: XMLTree] = [:]

    init(_ definitions: [XMLTree], _ kind: String) {
        for tree in definitions {
            for child in tree.children(kind, WSDLReader.namespace) {
                guard let name = child.attributes["name"] else { continue }
                exact[QName(tree.attributes["targetNamespace"] ?? "", name)] = child
                local[name] = child
            }
        }
    }

    /// Servers are found that write references without a prefix: then the last document's part of that name is meant.
    subscript(name: QName) -> XMLTree? { exact[name] ?? local[name.local] }
}
