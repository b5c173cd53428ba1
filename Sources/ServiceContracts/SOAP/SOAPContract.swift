/// One operation of a SOAP binding.
struct SOAPOperation: Sendable {
    var name: String
    /// soapAction.
    var action: String
    var input: SOAPMessage
    /// nil: one-way.
    var output: SOAPMessage?
    var documentation: String
}

/// What stands in the body of an envelope.
enum SOAPMessage: Sendable {
    /// One global element; nil: an empty body.
    case document(QName?)
    /// A wrapper named by the operation around the parts (WSDL 1.1 section 3.5).
    case rpc(wrapper: QName, parts: [XSDElement])
}

/// A service that speaks SOAP, by its WSDL.
struct SOAPContract: ServiceContract {
    static let envelope11 = "http://schemas.xmlsoap.org/soap/envelope/"
    static let envelope12 = "http://www.w3.org/2003/05/soap-envelope"

    let schema: XSDSchema
    let operations: [SOAPOperation]
    let documentation: String
    let isVersion12: Bool
    /// The port's location.
    let address: String

    var path: String {
        guard let scheme = address.range(of: "://") else { return "" }
        let rest = address[scheme.upperBound...]
        guard let slash = rest.firstIndex(of: "/") else { return "" }
        let path = rest[slash...].prefix { $0 != "?" && $0 != "#" }
        let isClean = path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isClean && path != "/" ? String(path) : ""
    }

    var description: ServiceDescription {
        ServiceDescription(
            style: .soap, description: documentation,
            operations: operations.map {
                ServiceOperation(
                    name: $0.name, description: $0.documentation, input: fields(of: $0.input),
                    output: $0.output.map(fields(of:)) ?? [])
            })
    }

    func request(_ operation: String, _ arguments: [String: JSON]) throws(ContractError) -> ContractRequest {
        let operation = try found(operation)
        let encoder = SOAPEncoder(schema: schema)
        let content: String
        switch operation.input {
        case .rpc(let wrapper, let parts): content = try encoder.wrapped(wrapper, parts, arguments)
        case .document(nil):
            if let name = arguments.keys.min() { throw .badArgument(name, reason: "the operation takes none") }
            content = ""
        case .document(let name?):
            content = try encoder.document(element(name), arguments)
        }
        let namespace = isVersion12 ? Self.envelope12 : Self.envelope11
        let body =
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
            + "<soap:Envelope xmlns:soap=\"\(namespace)\" xmlns:xsi=\"\(XSDSchema.instanceNamespace)\">"
            + "<soap:Body>\(content)</soap:Body></soap:Envelope>"
        let action = operation.action.filter { $0 != "\"" && $0 != "\r" && $0 != "\n" }
        // SOAP 1.2 part 2 appendix A has the action in the media type, SOAP 1.1 section 6.1.1 in a field of its own.
        let headers =
            isVersion12
            ? ["content-type": "application/soap+xml; charset=utf-8" + (action.isEmpty ? "" : "; action=\"\(action)\"")]
            : ["content-type": "text/xml; charset=utf-8", "soapaction": "\"\(action)\""]
        return ContractRequest(method: "POST", target: "", headers: headers, body: Array(body.utf8))
    }

    func answer(to operation: String, _ answer: ContractAnswer) throws(ContractError) -> JSON {
        let operation = try found(operation)
        if answer.body.isEmpty, (200..<300).contains(answer.status) { return .null }
        let envelope: XMLTree
        do {
            envelope = try XMLTree.parse(answer.body)
        } catch {
            guard (200..<300).contains(answer.status) else {
                throw .refused(status: answer.status, body: answer.excerpt)
            }
            throw error
        }
        guard envelope.name.local == "Envelope", let body = envelope.first("Body", envelope.name.namespace) else {
            guard (200..<300).contains(answer.status) else {
                throw .refused(status: answer.status, body: answer.excerpt)
            }
            throw .badAnswer("its root is '\(envelope.name.local)' and not a SOAP envelope")
        }
        if let fault = body.first("Fault", envelope.name.namespace) { throw Self.fault(fault) }
        guard (200..<300).contains(answer.status) else { throw .refused(status: answer.status, body: answer.excerpt) }
        guard let content = body.children.first else { return .null }
        let decoder = SOAPDecoder(schema: schema)
        switch operation.output {
        case nil: return .null
        case .rpc(_, let parts)?: return decoder.object(content, parts, isOpen: false)
        case .document(let name)?:
            guard let name, let element = schema.elements[name] else { return decoder.untyped(content, depth: 0) }
            return decoder.value(content, element.type, depth: 0)
        }
    }

    // MARK: Inside

    private func found(_ name: String) throws(ContractError) -> SOAPOperation {
        guard let operation = operations.first(where: { $0.name == name }) else {
            throw .noSuchOperation(name, known: operations.map(\.name))
        }
        return operation
    }

    private func element(_ name: QName) throws(ContractError) -> XSDElement {
        guard let element = schema.elements[name] else {
            throw .badDocument("its schemas lack the element '\(name)' (imported schemas are not fetched)")
        }
        return element
    }

    private func fields(of message: SOAPMessage) -> [ServiceField] {
        let describer = SchemaDescriber(schema: schema)
        switch message {
        case .rpc(_, let parts): return parts.map { describer.field($0) }
        case .document(nil): return []
        case .document(let name?):
            guard let element = schema.elements[name] else { return [] }
            if case .complex(let type) = schema.resolve(element.type) { return describer.fields(of: type) }
            return [describer.field(element)]
        }
    }

    /// SOAP 1.1 section 4.4, SOAP 1.2 part 1 section 5.4.
    private static func fault(_ fault: XMLTree) -> ContractError {
        let code =
            fault.first("faultcode")?.trimmedText ?? fault.first("Code")?.first("Value")?.trimmedText ?? "unknown"
        let message = fault.first("faultstring")?.trimmedText ?? fault.first("Reason")?.first("Text")?.trimmedText ?? ""
        let detail = fault.first("detail") ?? fault.first("Detail")
        let text = detail.map { tree in
            var words: [String] = []
            collect(tree, into: &words)
            return words.joined(separator: " ")
        }
        return .fault(code: code, message: message, detail: String((text ?? "").prefix(1000)))
    }

    private static func collect(_ tree: XMLTree, into words: inout [String]) {
        let text = tree.trimmedText
        if !text.isEmpty { words.append(text) }
        for child in tree.children { collect(child, into: &words) }
    }
}
