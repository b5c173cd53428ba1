/// Looks things up in an OpenAPI document, through its references.
struct OpenAPIDocument: Sendable {
    let root: JSON
    private static let maximumHops = 16

    /// What a node is once `$ref` is followed; local references only.
    func resolved(_ node: JSON) -> JSON {
        var node = node
        for _ in 0..<Self.maximumHops {
            guard let reference = node["$ref"]?.string else { return node }
            guard let target = target(of: reference) else { return [:] }
            node = target
        }
        return [:]
    }

    /// RFC 6901 behind `#`.
    private func target(of reference: String) -> JSON? {
        guard reference.hasPrefix("#/") else { return nil }
        var node = root
        for part in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = node[String(name)] else { return nil }
            node = next
        }
        return node
    }

    /// The schema with what `allOf` brings together merged in, and the one real member of an optional's `anyOf` taken.
    func schema(_ node: JSON, depth: Int = 0) -> JSON {
        let node = resolved(node)
        guard depth < Self.maximumHops, var members = node.object else { return node }
        if let parts = members["allOf"]?.array {
            members["allOf"] = nil
            var properties = members["properties"]?.object ?? [:]
            var required = members["required"]?.array ?? []
            for part in parts {
                let part = schema(part, depth: depth + 1)
                for (name, value) in part["properties"]?.object ?? [:] { properties[name] = value }
                required += part["required"]?.array ?? []
                for (name, value) in part.object ?? [:] where members[name] == nil { members[name] = value }
            }
            if !properties.isEmpty {
                members["properties"] = .object(properties)
                members["required"] = .array(required)
            }
            return .object(members)
        }
        if let choices = (members["anyOf"] ?? members["oneOf"])?.array {
            let real = choices.filter { resolved($0)["type"]?.string != "null" }
            if real.count == 1 {
                guard var only = schema(real[0], depth: depth + 1).object else { return node }
                if only["description"] == nil { only["description"] = members["description"] }
                return .object(only)
            }
        }
        return node
    }

    /// `string`, `integer`, …; of OpenAPI 3.1's list, the first that is not `null`.
    static func type(of schema: JSON) -> String? {
        if let type = schema["type"]?.string { return type }
        if let types = schema["type"]?.array { return types.compactMap(\.string).first { $0 != "null" } }
        return schema["properties"] != nil ? "object" : nil
    }

    func field(
        _ name: String, _ node: JSON, isRequired: Bool, description: String? = nil, depth: Int = 0
    ) -> ServiceField {
        var schema = schema(node)
        let text = description ?? schema["description"]?.string
        var isRepeated = false
        if Self.type(of: schema) == "array" {
            isRepeated = true
            schema = self.schema(schema["items"] ?? [:])
        }
        let type = Self.type(of: schema)
        var result = ServiceField(
            name: name, type: type == "string" ? schema["format"]?.string ?? "string" : type ?? "any",
            isRequired: isRequired, isRepeated: isRepeated, description: text.flatMap { $0.isEmpty ? nil : $0 },
            values: schema["enum"]?.array.map { $0.compactMap(\.scalarText) })
        if type == "object", depth < ServiceField.maximumDepth {
            result.fields = fields(of: schema, depth: depth + 1)
        }
        return result
    }

    /// The properties of an object, in alphabetical order: JSON keeps none.
    func fields(of schema: JSON, depth: Int = 0) -> [ServiceField] {
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        return (schema["properties"]?.object ?? [:]).sorted { $0.key < $1.key }.map {
            field($0.key, $0.value, isRequired: required.contains($0.key), depth: depth)
        }
    }

    /// A value as its schema wants it: the words of a command line become numbers and flags.
    func coerced(_ value: JSON, _ node: JSON, at path: String, depth: Int = 0) throws(ContractError) -> JSON {
        guard depth < Self.maximumHops else { throw .badArgument(path, reason: "is too deep") }
        let schema = schema(node)
        if let values = schema["enum"]?.array?.compactMap(\.scalarText), let text = value.scalarText,
            !values.contains(text)
        {
            throw .badArgument(
                path, reason: "found '\(text.prefix(60))'; it is one of: \(values.joined(separator: ", "))")
        }
        switch (Self.type(of: schema), value) {
        case ("integer", .string(let text)):
            guard let number = Int64(text) else {
                throw .badArgument(path, reason: "found '\(text.prefix(60))'; an integer is expected")
            }
            return .integer(number)
        case ("number", .string(let text)):
            if let number = Int64(text) { return .integer(number) }
            guard let number = Double(text), number.isFinite else {
                throw .badArgument(path, reason: "found '\(text.prefix(60))'; a number is expected")
            }
            return .number(number)
        case ("boolean", .string(let text)):
            guard ["true", "false", "1", "0"].contains(text) else {
                throw .badArgument(path, reason: "found '\(text.prefix(60))'; true or false is expected")
            }
            return .bool(text == "true" || text == "1")
        case ("array", .array(let items)):
            var result: [JSON] = []
            for item in items { result.append(try coerced(item, schema["items"] ?? [:], at: path, depth: depth + 1)) }
            return .array(result)
        case ("array", _) where value != .null:
            return .array([try coerced(value, schema["items"] ?? [:], at: path, depth: depth + 1)])
        case ("object", .object(let members)):
            let properties = schema["properties"]?.object ?? [:]
            var result: [String: JSON] = [:]
            for (name, member) in members {
                guard let property = properties[name] else {
                    // Without listed properties, or with further ones allowed, any will do.
                    guard properties.isEmpty || schema["additionalProperties"].map({ $0 != false }) ?? false else {
                        throw .badArgument(
                            "\(path.isEmpty ? "" : path + ".")\(name)",
                            reason: "there is no such argument; there are: "
                                + properties.keys.sorted().joined(separator: ", "))
                    }
                    result[name] = member
                    continue
                }
                let place = path.isEmpty ? name : "\(path).\(name)"
                result[name] = try coerced(member, property, at: place, depth: depth + 1)
            }
            for name in (schema["required"]?.array ?? []).compactMap(\.string) where result[name] == nil {
                throw .badArgument(path.isEmpty ? name : "\(path).\(name)", reason: "is missing")
            }
            return .object(result)
        case ("object", .string), ("object", .integer), ("object", .bool), ("object", .number):
            throw .badArgument(path, reason: "is an object; write \(path).PART=VALUE")
        default: return value
        }
    }
}
