/// Reads WSDL 1.1 documents with SOAP 1.1 or 1.2 bindings.
enum WSDLReader {
    static let namespace = "http://schemas.xmlsoap.org/wsdl/"
    static let soap11 = "http://schemas.xmlsoap.org/wsdl/soap/"
    static let soap12 = "http://schemas.xmlsoap.org/wsdl/soap12/"

    private struct Binding {
        var tree: XMLTree
        var soap: XMLTree
        var portType: XMLTree
        var address: String
    }

    static func read(_ root: XMLTree) throws(ContractError) -> SOAPContract {
        guard root.name == QName(namespace, "definitions") else {
            throw .badDocument(
                root.name.local == "description"
                    ? "it is WSDL 2.0; WSDL 1.1 is what is understood"
                    : "it is XML, but its root is '\(root.name.local)' and not WSDL's 'definitions'")
        }
        var reader = XSDReader()
        try reader.read(root.children("types", namespace).flatMap { $0.children("schema", XSDSchema.namespace) })
        let binding = try binding(of: root)
        let messages = named(root, "message")
        var operations: [SOAPOperation] = []
        for operation in binding.tree.children("operation", namespace) {
            let abstract = binding.portType.children("operation", namespace).first {
                $0.attributes["name"] == operation.attributes["name"]
            }
            guard let abstract, let read = try self.operation(operation, abstract, binding, messages) else { continue }
            operations.append(read)
        }
        guard !operations.isEmpty else { throw .badDocument("it is WSDL without any operation") }
        return SOAPContract(
            schema: reader.schema, operations: operations, documentation: documentation(of: root, binding),
            isVersion12: binding.soap.name.namespace == soap12, address: binding.address)
    }

    /// By `name`; WSDL has one target namespace for all.
    private static func named(_ root: XMLTree, _ local: String) -> [String: XMLTree] {
        var result: [String: XMLTree] = [:]
        for child in root.children(local, namespace) {
            if let name = child.attributes["name"] { result[name] = child }
        }
        return result
    }

    /// The first port with a SOAP binding over HTTP.
    private static func binding(of root: XMLTree) throws(ContractError) -> Binding {
        let bindings = named(root, "binding")
        let portTypes = named(root, "portType")
        for port in root.children("service", namespace).flatMap({ $0.children("port", namespace) }) {
            guard let name = port.qualified("binding")?.local, let tree = bindings[name],
                let soap = tree.first("binding", soap11) ?? tree.first("binding", soap12),
                let type = tree.qualified("type")?.local, let portType = portTypes[type]
            else { continue }
            let address = port.first("address", soap.name.namespace)?.attributes["location"] ?? ""
            return Binding(tree: tree, soap: soap, portType: portType, address: address)
        }
        throw .badDocument("it is WSDL without a service whose port has a SOAP binding")
    }

    private static func documentation(of root: XMLTree, _ binding: Binding) -> String {
        let places = [
            root.first("documentation"), root.first("service", namespace)?.first("documentation"),
            binding.portType.first("documentation"),
        ]
        let text = places.compactMap { $0?.trimmedText }.first { !$0.isEmpty } ?? ""
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func operation(
        _ tree: XMLTree, _ abstract: XMLTree, _ binding: Binding, _ messages: [String: XMLTree]
    ) throws(ContractError) -> SOAPOperation? {
        guard let name = tree.attributes["name"], !name.isEmpty else { return nil }
        let soap = tree.first("operation", binding.soap.name.namespace)
        let style = soap?.attributes["style"] ?? binding.soap.attributes["style"] ?? "document"
        func message(_ side: String) -> SOAPMessage? {
            guard let reference = abstract.first(side, namespace)?.qualified("message")?.local,
                let message = messages[reference]
            else { return nil }
            let body = tree.first(side, namespace)?.first("body", binding.soap.name.namespace)
            let parts = message.children("part", namespace)
            if style == "rpc" {
                return .rpc(
                    wrapper: QName(
                        body?.attributes["namespace"] ?? "", side == "input" ? name : name + "Response"),
                    parts: parts.compactMap { part in
                        guard let partName = part.attributes["name"] else { return nil }
                        if let element = part.qualified("element") {
                            return XSDElement(
                                name: QName("", partName), type: .named(element), reference: element, minimum: 0)
                        }
                        guard let type = part.qualified("type") else { return nil }
                        return XSDElement(name: QName("", partName), type: .named(type), minimum: 0)
                    })
            }
            // What a header part brings is not the call's: the body has one part, named when there are more.
            let wanted = body?.attributes["parts"].flatMap { $0.split(separator: " ").first.map(String.init) }
            let part = parts.first { wanted == nil || $0.attributes["name"] == wanted }
            guard let element = part?.qualified("element") else { return parts.isEmpty ? .document(nil) : nil }
            return .document(element)
        }
        guard let input = message("input") else { return nil }
        let documentation = abstract.first("documentation")?.trimmedText ?? ""
        return SOAPOperation(
            name: name, action: soap?.attributes["soapAction"] ?? "", input: input, output: message("output"),
            documentation: documentation.split(whereSeparator: \.isWhitespace).joined(separator: " "))
    }
}
