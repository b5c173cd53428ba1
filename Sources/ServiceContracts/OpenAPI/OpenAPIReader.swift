/// Reads OpenAPI 3.0 and 3.1, and Swagger 2.0, documents: JSON, or YAML as JSON's values.
enum OpenAPIReader {
    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch"]
    private static let maximumOperations = 5000

    static func read(_ root: JSON) throws(ContractError) -> RESTContract {
        // Without quotes, YAML makes a number of it.
        let isSwagger = root["swagger"]?.string?.hasPrefix("2.") == true || root["swagger"] == .number(2)
        guard isSwagger || root["openapi"]?.string?.hasPrefix("3.") == true else {
            throw .badDocument("it is JSON or YAML, but not OpenAPI 3 or Swagger 2.0")
        }
        let document = OpenAPIDocument(root: root)
        var operations: [RESTOperation] = []
        for (path, item) in (root["paths"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard isPath(path) else { throw .badDocument("'\(path.prefix(80))' is not a path") }
            let item = document.resolved(item)
            for method in methods {
                guard let node = item[method] else { continue }
                guard operations.count < maximumOperations else {
                    throw .tooLarge("more than \(maximumOperations) operations")
                }
                operations.append(operation(node, method, path, item, document))
            }
        }
        guard !operations.isEmpty else { throw .badDocument("it is OpenAPI without any operation") }
        let info = root["info"]
        let description = info?["description"]?.string ?? info?["title"]?.string ?? ""
        return RESTContract(
            document: document, operations: operations,
            documentation: description.split(whereSeparator: \.isWhitespace).joined(separator: " "),
            path: basePath(root, isSwagger: isSwagger))
    }

    private static func isPath(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
    }

    private static func basePath(_ root: JSON, isSwagger: Bool) -> String {
        var text = isSwagger ? root["basePath"]?.string ?? "" : root["servers"]?.array?.first?["url"]?.string ?? ""
        if let scheme = text.range(of: "://") {
            let rest = text[scheme.upperBound...]
            text = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? ""
        }
        while text.hasSuffix("/") { text.removeLast() }
        // Variables in it would need values that nobody gave.
        return isPath(text) && !text.contains("{") && !text.contains("?") ? text : ""
    }

    private static func operation(
        _ node: JSON, _ method: String, _ path: String, _ item: JSON, _ document: OpenAPIDocument
    ) -> RESTOperation {
        var result = RESTOperation(
            name: node["operationId"]?.string ?? "\(method.uppercased()) \(path)", method: method.uppercased(),
            path: path, documentation: "")
        let words = node["summary"]?.string ?? node["description"]?.string ?? ""
        result.documentation = words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for parameter in (item["parameters"]?.array ?? []) + (node["parameters"]?.array ?? []) {
            let parameter = document.resolved(parameter)
            guard let name = parameter["name"]?.string else { continue }
            // Swagger 2.0 has the schema's words in the parameter itself.
            let schema = parameter["schema"] ?? parameter["content"]?.object?.values.first?["schema"] ?? parameter
            let isRequired = parameter["required"]?.bool ?? false
            switch parameter["in"]?.string {
            case "body"?: result.body = RESTBody(schema: schema, isRequired: isRequired, isForm: false)
            case "formData"?:
                var body = result.body ?? RESTBody(schema: ["type": "object"], isRequired: false, isForm: true)
                body.add(name, schema, isRequired: isRequired)
                result.body = body
            case let place?:
                guard let place = RESTParameter.Place(rawValue: place) else { continue }
                // One of the operation stands above one of the path.
                result.parameters.removeAll { $0.name == name && $0.place == place }
                result.parameters.append(
                    RESTParameter(
                        name: name, place: place, schema: schema, isRequired: isRequired || place == .path,
                        documentation: parameter["description"]?.string))
            case nil: continue
            }
        }
        if let body = node["requestBody"].map(document.resolved), let content = body["content"]?.object {
            let json = content.first { $0.key.hasPrefix("application/json") || $0.key.hasSuffix("+json") }
            let form = content.first { $0.key.hasPrefix("application/x-www-form-urlencoded") }
            if let schema = (json ?? form)?.value["schema"] {
                result.body = RESTBody(
                    schema: schema, isRequired: body["required"]?.bool ?? false, isForm: json == nil)
            }
        }
        let responses = node["responses"]?.object ?? [:]
        let success = responses.filter { $0.key.hasPrefix("2") }.min { $0.key < $1.key }?.value
        if let success = success.map(document.resolved) {
            let media = success["content"]?.object
            result.answer = media?.first { $0.key.contains("json") }?.value["schema"] ?? success["schema"]
        }
        return result
    }
}
