/// Writes arguments as the XML that a schema asks for.
struct SOAPEncoder {
    private static let maximumDepth = 32
    /// Items of one array: each costs a few bytes of the guest's and hundreds of ours.
    private static let maximumItems = 100_000

    let schema: XSDSchema

    /// The body of a document-style call: arguments are the parts of the element's type, or the element itself.
    func document(_ element: XSDElement, _ arguments: [String: JSON]) throws(ContractError) -> String {
        guard case .complex = schema.resolve(element.type) else {
            try refuseUnknown(arguments, known: [element.name.local], at: "")
            return try one(element, arguments[element.name.local] ?? .null, at: element.name.local, depth: 0)
        }
        return try one(element, .object(arguments), at: "", depth: 0)
    }

    /// The body of an RPC-style call.
    func wrapped(
        _ wrapper: QName, _ parts: [XSDElement], _ arguments: [String: JSON]
    ) throws(ContractError) -> String {
        try refuseUnknown(arguments, known: parts.map(\.name.local), at: "")
        var content = ""
        for part in parts {
            guard let value = arguments[part.name.local] else {
                throw .badArgument(part.name.local, reason: "is missing")
            }
            content += try one(part, value, at: part.name.local, depth: 1)
        }
        return tag(wrapper, "", content)
    }

    private func tag(_ name: QName, _ attributes: String, _ content: String) -> String {
        // Each element says its namespace, so that no prefix can be wrong.
        "<\(name.local) xmlns=\"\(escapedXML(name.namespace))\"\(attributes)>\(content)</\(name.local)>"
    }

    private func one(
        _ element: XSDElement, _ value: JSON, at path: String, depth: Int
    ) throws(ContractError) -> String {
        guard depth < Self.maximumDepth else { throw .badArgument(path, reason: "is too deep") }
        let element = schema.target(of: element)
        if value == .null {
            return element.isNillable ? tag(element.name, " xsi:nil=\"true\"", "") : tag(element.name, "", "")
        }
        switch schema.resolve(element.type) {
        case .simple(let type): return tag(element.name, "", escapedXML(try text(value, type, at: path)))
        case .complex(let type):
            let (attributes, content) = try self.content(of: type, value, at: path, depth: depth)
            return tag(element.name, attributes, content)
        }
    }

    private func content(
        of type: XSDComplexType, _ value: JSON, at path: String, depth: Int
    ) throws(ContractError) -> (attributes: String, content: String) {
        let fields = schema.fields(of: type).map(schema.target(of:))
        if let text = type.text, case .simple(let simple) = schema.resolve(.named(text)), value.object == nil {
            return ("", escapedXML(try self.text(value, simple, at: path)))
        }
        var members: [String: JSON]
        if let object = value.object {
            members = object
        } else if value.array != nil, fields.count == 1, fields[0].isRepeated {
            // An array type is a wrapper around its one repeated element; callers need not name it.
            members = [fields[0].name.local: value]
        } else {
            let parts = fields.map(\.name.local).joined(separator: ", ")
            throw .badArgument(path, reason: "is an object of: \(parts); write \(path).PART=VALUE")
        }
        let known = fields.map(\.name.local)
        var attributes = ""
        for attribute in schema.attributes(of: type) {
            guard let given = members.removeValue(forKey: attribute.name) else {
                guard !attribute.isRequired else {
                    throw .badArgument(join(path, attribute.name), reason: "is missing")
                }
                continue
            }
            guard case .simple(let simple) = schema.resolve(.named(attribute.type)) else { continue }
            let text = escapedXML(try self.text(given, simple, at: join(path, attribute.name)))
            attributes += " \(attribute.name)=\"\(text)\""
        }
        try refuseUnknown(members, known: known, at: path)
        var content = ""
        for field in fields {
            let place = join(path, field.name.local)
            guard let given = members[field.name.local] else {
                guard field.minimum == 0 else {
                    guard field.isNillable else { throw .badArgument(place, reason: "is missing") }
                    content += tag(field.name, " xsi:nil=\"true\"", "")
                    continue
                }
                continue
            }
            guard field.isRepeated else {
                content += try one(field, given, at: place, depth: depth + 1)
                continue
            }
            let items = given.array ?? [given]
            guard items.count <= Self.maximumItems else {
                throw .badArgument(place, reason: "has \(items.count) items; at most \(Self.maximumItems)")
            }
            for item in items { content += try one(field, item, at: place, depth: depth + 1) }
        }
        return (attributes, content)
    }

    private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private func refuseUnknown(_ members: [String: JSON], known: [String], at path: String) throws(ContractError) {
        guard let unknown = members.keys.sorted().first(where: { !known.contains($0) }) else { return }
        let list = known.isEmpty ? "none" : known.joined(separator: ", ")
        throw .badArgument(join(path, unknown), reason: "there is no such argument; there are: \(list)")
    }

    private func text(_ value: JSON, _ type: XSDSimpleType, at path: String) throws(ContractError) -> String {
        if type.isList, let items = value.array {
            var words: [String] = []
            for item in items {
                words.append(try text(item, XSDSimpleType(base: type.base, values: type.values), at: path))
            }
            return words.joined(separator: " ")
        }
        guard let text = value.scalarText else {
            throw .badArgument(
                path, reason: "is one \(type.typeName), not \(value.array == nil ? "an object" : "a list")")
        }
        switch type.kind {
        case .integer where Int64(text) == nil && UInt64(text) == nil && !Self.isLongInteger(text):
            throw .badArgument(path, reason: "found '\(text.prefix(60))'; an integer is expected")
        case .number where Double(text) == nil && !["INF", "-INF", "NaN"].contains(text):
            throw .badArgument(path, reason: "found '\(text.prefix(60))'; a number is expected")
        case .boolean where !["true", "false", "1", "0"].contains(text):
            throw .badArgument(path, reason: "found '\(text.prefix(60))'; true or false is expected")
        default: break
        }
        if !type.values.isEmpty, !type.values.contains(text) {
            throw .badArgument(
                path, reason: "found '\(text.prefix(60))'; it is one of: \(type.values.joined(separator: ", "))")
        }
        return text
    }

    /// `xs:integer` has no limit.
    private static func isLongInteger(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        return !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
