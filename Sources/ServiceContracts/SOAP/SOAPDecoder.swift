/// Reads a service's XML as the JSON that its schema makes of it.
struct SOAPDecoder {
    let schema: XSDSchema

    private func isNil(_ tree: XMLTree) -> Bool {
        ["true", "1"].contains(tree.attributes["{\(XSDSchema.instanceNamespace)}nil"])
    }

    func value(_ tree: XMLTree, _ type: XSDTypeReference, depth: Int) -> JSON {
        if isNil(tree) { return .null }
        // A derived type may stand where its base is expected (XML Schema part 1 section 2.6.1).
        let actual = tree.qualified("{\(XSDSchema.instanceNamespace)}type").map { XSDTypeReference.named($0) }
        switch schema.resolve(actual ?? type) {
        case .simple(let simple):
            guard tree.children.isEmpty else { return untyped(tree, depth: depth) }
            return scalar(tree, simple)
        case .complex(let complex):
            let fields = schema.fields(of: complex)
            if let text = complex.text, case .simple(let simple) = schema.resolve(.named(text)) {
                let attributes = attributes(of: tree, complex)
                guard !attributes.isEmpty else { return scalar(tree, simple) }
                return .object(attributes.merging(["value": scalar(tree, simple)]) { first, _ in first })
            }
            guard case .object(let members) = object(tree, fields, isOpen: complex.isOpen, depth: depth) else {
                return .null
            }
            return .object(members.merging(attributes(of: tree, complex)) { first, _ in first })
        }
    }

    func object(_ tree: XMLTree, _ fields: [XSDElement], isOpen: Bool, depth: Int = 0) -> JSON {
        var members: [String: JSON] = [:]
        var known: Set<String> = []
        for field in fields {
            let field = schema.target(of: field)
            let name = field.name.local
            known.insert(name)
            let found = tree.children.filter { $0.name.local == name }
            if field.isRepeated {
                members[name] = .array(found.map { value($0, field.type, depth: depth + 1) })
            } else if let first = found.first {
                members[name] = value(first, field.type, depth: depth + 1)
            }
        }
        for child in tree.children where !known.contains(child.name.local) {
            // What the schema does not know is shown rather than lost.
            let value = untyped(child, depth: depth + 1)
            switch members[child.name.local] {
            case nil: members[child.name.local] = value
            case .array(let items)?: members[child.name.local] = .array(items + [value])
            case let first?: members[child.name.local] = .array([first, value])
            }
        }
        return .object(members)
    }

    private func attributes(of tree: XMLTree, _ type: XSDComplexType) -> [String: JSON] {
        var result: [String: JSON] = [:]
        for attribute in schema.attributes(of: type) {
            guard let text = tree.attributes[attribute.name],
                case .simple(let simple) = schema.resolve(.named(attribute.type))
            else { continue }
            result[attribute.name] = Self.scalar(text, simple)
        }
        return result
    }

    /// By shape alone: text, or an object whose repeated members are arrays.
    func untyped(_ tree: XMLTree, depth: Int) -> JSON {
        if isNil(tree) { return .null }
        guard !tree.children.isEmpty else { return .string(tree.trimmedText) }
        return object(tree, [], isOpen: true, depth: depth)
    }

    private func scalar(_ tree: XMLTree, _ type: XSDSimpleType) -> JSON {
        if type.isList {
            let item = XSDSimpleType(base: type.base)
            return .array(tree.text.split(whereSeparator: \.isWhitespace).map { Self.scalar(String($0), item) })
        }
        return Self.scalar(type.kind == .string ? tree.text : tree.trimmedText, type)
    }

    /// A number that JSON cannot hold stays text.
    private static func scalar(_ text: String, _ type: XSDSimpleType) -> JSON {
        switch type.kind {
        case .boolean: ["true", "1"].contains(text) ? true : ["false", "0"].contains(text) ? false : .string(text)
        case .integer: Int64(text).map { .integer($0) } ?? .string(text)
        case .number:
            if let number = Int64(text) {
                .integer(number)
            } else if let number = Double(text), number.isFinite {
                .number(number)
            } else {
                .string(text)
            }
        case .string: .string(text)
        }
    }
}
