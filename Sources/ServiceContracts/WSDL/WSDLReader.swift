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

    static let root = QName(namespace, "definitions")

    /// - Throws: `ContractError.badDocument` when it is something else than WSDL 1.1.
    static func check(_ tree: XMLTree) throws(ContractError) {
        guard tree.name == root else {
            throw .badDocument(
                tree.name.local == "description"
                    ? "it is WSDL 2.0; WSDL 1.1 is what is understood"
                    : "it is XML, but its root is '\(tree.name.local)' and not WSDL's 'definitions'")
        }
    }

    /// The schemas that stand in the document itself.
    static func schemas(of tree: XMLTree) -> [XMLTree] {
        tree.children("types", namespace).flatMap { $0.children("schema", XSDSchema.namespace) }
    }

    /// Where the other documents are that it imports.
    static func links(of tree: XMLTree) -> [String] {
        tree.children("import", namespace).compactMap { $0.attributes["location"] }.filter { !$0.isEmpty }
    }

    /// - Parameter definitions: what is imported before what imports it, the service's own document last.
    static func read(_ definitions: [XMLTree], schemas: [XMLTree]) throws(ContractError) -> SOAPContract {
        var reader = XSDReader()
        try reader.read(schemas)
        let binding = try binding(of: definitions)
        let messages = WSDLNames(definitions, "message")
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
            schema: reader.schema, operations: operations, documentation: documentation(of: definitions, binding),
            isVersion12: binding.soap.name.namespace == soap12, address: binding.address)
    }

    /// The first port with a SOAP binding over HTTP.
    private static func binding(of definitions: [XMLTree]) throws(ContractError) -> Binding {
        let bindings = WSDLNames(definitions, "binding")
        let portTypes = WSDLNames(definitions, "portType")
        let services = definitions.reversed().flatMap { $0.children("service", namespace) }
        for port in services.flatMap({ $0.children("port", namespace) }) {
            guard let name = port.qualified("binding"), let tree = bindings[name],
                let soap = tree.first("binding", soap11) ?? tree.first("binding", soap12),
                let type = tree.qualified("type"), let portType = portTypes[type]
            else { continue }
            let address = port.first("address", soap.name.namespace)?.attributes["location"] ?? ""
            return Binding(tree: tree, soap: soap, portType: portType, address: address)
        }
        throw .badDocument("it is WSDL without a service whose port has a SOAP binding")
    }

    private static func documentation(of definitions: [XMLTree], _ binding: Binding) -> String {
        let places =
            definitions.reversed().flatMap {
                [$0.first("documentation"), $0.first("service", namespace)?.first("documentation")]
            } + [binding.portType.first("documentation")]
        let text = places.compactMap { $0?.trimmedText }.first { !$0.isEmpty } ?? ""
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func operation(
        _ tree: XMLTree, _ abstract: XMLTree, _ binding: Binding, _ messages: WSDLNames
    ) throws(ContractError) -> SOAPOperation? {
        guard let name = tree.attributes["name"], !name.isEmpty else { return nil }
        let soap = tree.first("operation", binding.soap.name.namespace)
        let style = soap?.attributes["style"] ?? binding.soap.attributes["style"] ?? "document"
        func message(_ side: String) -> SOAPMessage? {
            guard let reference = abstract.first(side, namespace)?.qualified("message"),
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
