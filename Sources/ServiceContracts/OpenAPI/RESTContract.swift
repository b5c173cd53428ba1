/// A parameter of an operation that is not in its body.
struct RESTParameter: Sendable {
    enum Place: String, Sendable { case path, query, header, cookie }

    var name: String
    var place: Place
    var schema: JSON
    var isRequired: Bool
    var documentation: String?
}

/// The body of a request.
struct RESTBody: Sendable {
    var schema: JSON
    var isRequired: Bool
    /// `application/x-www-form-urlencoded` instead of JSON.
    var isForm: Bool

    mutating func add(_ name: String, _ property: JSON, isRequired: Bool) {
        var members = schema.object ?? [:]
        var properties = members["properties"]?.object ?? [:]
        properties[name] = property
        members["properties"] = .object(properties)
        if isRequired { members["required"] = .array((members["required"]?.array ?? []) + [.string(name)]) }
        schema = .object(members)
    }
}

/// One operation of an OpenAPI document.
struct RESTOperation: Sendable {
    var name: String
    var method: String
    /// With `{names}` of parameters.
    var path: String
    var documentation: String
    var parameters: [RESTParameter] = []
    var body: RESTBody?
    var answer: JSON?
}

/// A service that speaks HTTP with JSON, by its OpenAPI document.
struct RESTContract: ServiceContract {
    let document: OpenAPIDocument
    let operations: [RESTOperation]
    let documentation: String
    let path: String

    /// The one argument that is a body which is no object.
    static let bodyName = "body"

    var description: ServiceDescription {
        ServiceDescription(
            style: .rest, description: documentation,
            operations: operations.map { operation in
                let parameters = operation.parameters.map {
                    document.field(
                        $0.name, $0.schema, isRequired: $0.isRequired, description: $0.documentation)
                }
                return ServiceOperation(
                    name: operation.name, description: operation.documentation,
                    input: parameters + bodyFields(operation), output: output(operation))
            })
    }

    private func bodyFields(_ operation: RESTOperation) -> [ServiceField] {
        guard let body = operation.body else { return [] }
        if hasFlatBody(operation) { return document.fields(of: document.schema(body.schema)) }
        return [document.field(Self.bodyName, body.schema, isRequired: body.isRequired)]
    }

    private func output(_ operation: RESTOperation) -> [ServiceField] {
        guard let answer = operation.answer else { return [] }
        let schema = document.schema(answer)
        if OpenAPIDocument.type(of: schema) == "object", schema["properties"] != nil {
            return document.fields(of: schema)
        }
        return [document.field("result", schema, isRequired: true)]
    }

    /// The properties of a body that is an object are arguments like any other, unless a parameter has such a name.
    private func hasFlatBody(_ operation: RESTOperation) -> Bool {
        guard let body = operation.body else { return false }
        let schema = document.schema(body.schema)
        guard let properties = schema["properties"]?.object else { return false }
        return !operation.parameters.contains { properties[$0.name] != nil }
    }

    func request(_ name: String, _ arguments: [String: JSON]) throws(ContractError) -> ContractRequest {
        let operation = try found(name)
        var left = arguments
        var path = operation.path
        var query: [(String, String)] = []
        var headers = ["accept": "application/json"]
        var cookies: [String] = []
        for parameter in operation.parameters {
            guard let given = left.removeValue(forKey: parameter.name), given != .null else {
                guard !parameter.isRequired else { throw .badArgument(parameter.name, reason: "is missing") }
                continue
            }
            let value = try document.coerced(given, parameter.schema, at: parameter.name)
            let words = try words(value, at: parameter.name)
            switch parameter.place {
            case .path:
                let text = words.map(Self.escaped).joined(separator: ",")
                // Empty, `.` and `..` would make the path another one.
                guard !text.isEmpty, text != ".", text != ".." else {
                    throw .badArgument(parameter.name, reason: "'\(text)' cannot stand in a path")
                }
                path = path.replacing("{\(parameter.name)}", with: text)
            case .query: query += words.map { (parameter.name, $0) }
            case .header: headers[parameter.name.lowercased()] = try field(words.joined(separator: ","), parameter.name)
            case .cookie:
                cookies.append("\(parameter.name)=\(try field(words.joined(separator: ","), parameter.name))")
            }
        }
        guard !path.contains("{") else {
            throw .badDocument("the path '\(operation.path)' has a part that no parameter fills")
        }
        if !cookies.isEmpty { headers["cookie"] = cookies.joined(separator: "; ") }
        let body = try body(of: operation, &left, &headers)
        if let unknown = left.keys.min() {
            let known = (operation.parameters.map(\.name) + bodyFields(operation).map(\.name)).sorted()
            throw .badArgument(
                unknown,
                reason: "there is no such argument; there are: "
                    + (known.isEmpty ? "none" : known.joined(separator: ", ")))
        }
        let text = query.map { "\(Self.escaped($0))=\(Self.escaped($1))" }.joined(separator: "&")
        return ContractRequest(
            method: operation.method, target: path + (text.isEmpty ? "" : "?\(text)"), headers: headers, body: body)
    }

    func answer(to operation: String, _ answer: ContractAnswer) throws(ContractError) -> JSON {
        guard (200..<300).contains(answer.status) else { throw .refused(status: answer.status, body: answer.excerpt) }
        if answer.body.isEmpty { return .null }
        if answer.contentType.contains("json") {
            do { return try JSON(parsing: answer.body) } catch { throw .badAnswer("\(error)") }
        }
        return .string(String(decoding: answer.body, as: UTF8.self))
    }

    // MARK: Inside

    private func found(_ name: String) throws(ContractError) -> RESTOperation {
        guard let operation = operations.first(where: { $0.name == name }) else {
            throw .noSuchOperation(name, known: operations.map(\.name))
        }
        return operation
    }

    private func body(
        of operation: RESTOperation, _ left: inout [String: JSON], _ headers: inout [String: String]
    ) throws(ContractError) -> [UInt8] {
        guard let body = operation.body else { return [] }
        let value: JSON
        if hasFlatBody(operation) {
            if left.isEmpty, !body.isRequired { return [] }
            value = try document.coerced(.object(left), body.schema, at: "")
            left = [:]
        } else {
            guard let given = left.removeValue(forKey: Self.bodyName) else {
                guard !body.isRequired else { throw .badArgument(Self.bodyName, reason: "is missing") }
                return []
            }
            value = try document.coerced(given, body.schema, at: Self.bodyName)
        }
        guard body.isForm else {
            headers["content-type"] = "application/json"
            return value.line
        }
        headers["content-type"] = "application/x-www-form-urlencoded"
        var pairs: [String] = []
        for (name, member) in (value.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            for word in try words(member, at: name) { pairs.append("\(Self.escaped(name))=\(Self.escaped(word))") }
        }
        return Array(pairs.joined(separator: "&").utf8)
    }

    private func words(_ value: JSON, at name: String) throws(ContractError) -> [String] {
        var result: [String] = []
        for item in value.array ?? [value] {
            guard let text = item.scalarText else {
                throw .badArgument(name, reason: "an object cannot stand in a path, a query or a field")
            }
            result.append(text)
        }
        return result
    }

    private func field(_ text: String, _ name: String) throws(ContractError) -> String {
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw .badArgument(name, reason: "a field of a request holds visible ASCII only")
        }
        return text
    }

    /// RFC 3986 section 2.1; all but the unreserved characters.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
