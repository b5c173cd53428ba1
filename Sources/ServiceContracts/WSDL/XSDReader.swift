/// Reads `xs:schema` elements into one set of types.
struct XSDReader {
    static let root = QName(XSDSchema.namespace, "schema")
    private static let maximumDepth = 64

    /// Another document that a schema names.
    struct Link {
        var reference: String
        /// Of an import: whose types it brings.
        var namespace: String
        var isInclude: Bool
    }

    static func links(of schema: XMLTree) -> [Link] {
        schema.children.compactMap { child in
            guard child.name.namespace == XSDSchema.namespace, ["import", "include"].contains(child.name.local),
                let reference = child.attributes["schemaLocation"], !reference.isEmpty
            else { return nil }
            return Link(
                reference: reference, namespace: child.attributes["namespace"] ?? "",
                isInclude: child.name.local == "include")
        }
    }

    private(set) var schema = XSDSchema()
    private var targetNamespace = ""
    private var qualifiesElements = false

    mutating func read(_ schemas: [XMLTree]) throws(ContractError) {
        // Groups first: types name them.
        for element in schemas {
            begin(element)
            for group in xs(element, "group") {
                guard let name = group.attributes["name"] else { continue }
                schema.groups[QName(targetNamespace, name)] = try particles(group, depth: 0).elements
            }
        }
        for element in schemas {
            begin(element)
            for child in element.children where child.name.namespace == XSDSchema.namespace {
                guard let name = child.attributes["name"] else { continue }
                let qname = QName(targetNamespace, name)
                switch child.name.local {
                case "element":
                    var global = try self.element(child, depth: 0)
                    global.name = qname
                    schema.elements[qname] = global
                case "complexType": schema.complexTypes[qname] = try complexType(child, depth: 0)
                case "simpleType": schema.simpleTypes[qname] = simpleType(child)
                default: break
                }
            }
        }
    }

    private mutating func begin(_ schema: XMLTree) {
        targetNamespace = schema.attributes["targetNamespace"] ?? ""
        qualifiesElements = schema.attributes["elementFormDefault"] == "qualified"
    }

    private func xs(_ element: XMLTree, _ local: String) -> [XMLTree] { element.children(local, XSDSchema.namespace) }

    static func documentation(_ element: XMLTree) -> String {
        let text = element.first("annotation")?.first("documentation")?.trimmedText ?? ""
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private func element(_ tree: XMLTree, depth: Int) throws(ContractError) -> XSDElement {
        guard depth < Self.maximumDepth else { throw .tooLarge("types within types deeper than \(Self.maximumDepth)") }
        let type: XSDTypeReference
        if let name = tree.qualified("type") {
            type = .named(name)
        } else if let inner = xs(tree, "complexType").first {
            type = .complex(try complexType(inner, depth: depth + 1))
        } else if let inner = xs(tree, "simpleType").first {
            type = .simple(simpleType(inner))
        } else {
            type = .named(QName(XSDSchema.namespace, "anyType"))
        }
        let isQualified = tree.attributes["form"].map { $0 == "qualified" } ?? qualifiesElements
        let maximum = tree.attributes["maxOccurs"] ?? "1"
        return XSDElement(
            name: QName(isQualified ? targetNamespace : "", tree.attributes["name"] ?? ""), type: type,
            reference: tree.qualified("ref"), minimum: Int(tree.attributes["minOccurs"] ?? "1") ?? 1,
            isRepeated: maximum == "unbounded" || (Int(maximum) ?? 1) > 1,
            isNillable: tree.attributes["nillable"] == "true" || tree.attributes["nillable"] == "1",
            documentation: Self.documentation(tree))
    }

    private func complexType(_ tree: XMLTree, depth: Int) throws(ContractError) -> XSDComplexType {
        guard depth < Self.maximumDepth else { throw .tooLarge("types within types deeper than \(Self.maximumDepth)") }
        var body = tree
        var result = XSDComplexType()
        if let content = xs(tree, "complexContent").first ?? xs(tree, "simpleContent").first {
            let isSimple = content.name.local == "simpleContent"
            if let derivation = xs(content, "extension").first {
                if isSimple {
                    result.text = derivation.qualified("base")
                } else {
                    result.base = derivation.qualified("base")
                }
                body = derivation
            } else if let derivation = xs(content, "restriction").first {
                if isSimple { result.text = derivation.qualified("base") }
                body = derivation
                // SOAP 1.1 section 5 arrays: what they hold is said by an attribute of another namespace.
                if let item = arrayItem(derivation) { result.elements.append(item) }
            }
        }
        let found = try particles(body, depth: depth + 1)
        result.elements += found.elements
        result.isOpen = found.isOpen
        result.attributes = xs(body, "attribute").compactMap { attribute in
            guard let name = attribute.attributes["name"] else { return nil }
            return XSDAttribute(
                name: name, type: attribute.qualified("type") ?? QName(XSDSchema.namespace, "string"),
                isRequired: attribute.attributes["use"] == "required")
        }
        return result
    }

    private func arrayItem(_ restriction: XMLTree) -> XSDElement? {
        for attribute in xs(restriction, "attribute") {
            guard let text = attribute.attributes["{\(WSDLReader.namespace)}arrayType"] else { continue }
            let item = attribute.resolve(String(text.prefix { $0 != "[" }))
            return XSDElement(name: QName("", "item"), type: .named(item), minimum: 0, isRepeated: true)
        }
        return nil
    }

    /// Elements of sequences, choices and groups in order; those of a choice may be left out.
    private func particles(_ tree: XMLTree, depth: Int) throws(ContractError) -> (elements: [XSDElement], isOpen: Bool)
    {
        guard depth < Self.maximumDepth else { throw .tooLarge("types within types deeper than \(Self.maximumDepth)") }
        var elements: [XSDElement] = []
        var isOpen = false
        for child in tree.children where child.name.namespace == XSDSchema.namespace {
            switch child.name.local {
            case "element": elements.append(try element(child, depth: depth + 1))
            case "any": isOpen = true
            case "group":
                if let name = child.qualified("ref") { elements += schema.groups[name] ?? [] }
            case "sequence", "all", "choice":
                let inner = try particles(child, depth: depth + 1)
                isOpen = isOpen || inner.isOpen
                let maximum = child.attributes["maxOccurs"] ?? "1"
                let isRepeated = maximum == "unbounded" || (Int(maximum) ?? 1) > 1
                let isOptional = child.name.local == "choice" || child.attributes["minOccurs"] == "0"
                elements += inner.elements.map { element in
                    var element = element
                    if isOptional { element.minimum = 0 }
                    if isRepeated { element.isRepeated = true }
                    return element
                }
            default: break
            }
        }
        return (elements, isOpen)
    }

    private func simpleType(_ tree: XMLTree) -> XSDSimpleType {
        if let list = xs(tree, "list").first {
            let name = list.qualified("itemType")
            return XSDSimpleType(base: name?.local ?? "string", baseName: name, isList: true)
        }
        guard let restriction = xs(tree, "restriction").first else { return XSDSimpleType(base: "string") }
        let name = restriction.qualified("base")
        return XSDSimpleType(
            base: name?.local ?? "string", baseName: name,
            values: xs(restriction, "enumeration").compactMap { $0.attributes["value"] })
    }
}
