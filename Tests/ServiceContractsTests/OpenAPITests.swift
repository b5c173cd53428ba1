import Testing

@testable import ServiceContracts

@Suite struct OpenAPITests {
    static let document = """
        {"openapi": "3.1.0", "info": {"title": "Ships", "description": "Who lies\\n where."},
         "servers": [{"url": "https://public.example/api/v1/"}],
         "paths": {
          "/ships/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
            "get": {"operationId": "getShip", "summary": "One ship.", "parameters": [
                {"name": "parts", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                {"name": "X-Trace", "in": "header", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}}],
              "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ship"}}}}}},
            "put": {"operationId": "putShip", "requestBody": {"required": true, "content": {"application/json":
              {"schema": {"$ref": "#/components/schemas/Ship"}}}}, "responses": {"204": {}}}},
          "/login": {"post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema":
              {"type": "object", "required": ["user"], "properties": {"user": {"type": "string"}}}}}}}},
          "/batch": {"post": {"operationId": "batch", "requestBody": {"required": true, "content": {"application/json":
              {"schema": {"type": "array", "items": {"type": "integer"}}}}}}}},
         "components": {"schemas": {
           "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
           "Ship": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"properties": {
             "length": {"type": "number"}, "kind": {"enum": ["tug", "ferry"]},
             "berth": {"type": "object", "properties": {"quay": {"type": "string"}, "free": {"type": "boolean"}}}}}]}}}}
        """

    private let contract: any ServiceContract

    init() throws { contract = try ServiceDocument.read(Array(Self.document.utf8)) }

    private func reason(_ operation: String, _ arguments: [String: JSON]) -> String {
        do {
            return "done: \(try contract.request(operation, arguments).target)"
        } catch {
            return "\(error)"
        }
    }

    @Test func describesOperations() throws {
        let description = contract.description
        #expect(description.style == .rest && description.description == "Who lies where.")
        #expect(contract.path == "/api/v1")
        #expect(description.operations.map(\.name) == ["batch", "POST /login", "getShip", "putShip"])
        let get = description.operations[2]
        #expect(get.description == "One ship.")
        #expect(get.input.map(\.name) == ["id", "parts", "X-Trace"])
        #expect(get.input.map(\.type) == ["integer", "string", "string"])
        #expect(get.input.map(\.isRepeated) == [false, true, false])
        #expect(get.output.map(\.name) == ["berth", "kind", "length", "name"])
        #expect(get.output[1].values == ["tug", "ferry"])
        #expect(description.operations[3].input.map(\.name) == ["id", "berth", "kind", "length", "name"])
        #expect(description.operations[3].input.map(\.isRequired) == [true, false, false, false, true])
    }

    @Test func buildsRequests() throws {
        let get = try contract.request("getShip", ["id": "7", "parts": ["a b", "ü/?"], "X-Trace": "t 1"])
        #expect(get.method == "GET" && get.target == "/ships/7?parts=a%20b&parts=%C3%BC%2F%3F")
        #expect(get.headers == ["accept": "application/json", "x-trace": "t 1"])
        let put = try contract.request(
            "putShip", ["id": 7, "name": "Ida", "length": "12.5", "berth": ["quay": "3", "free": "true"]])
        #expect(put.method == "PUT" && put.target == "/ships/7")
        #expect(
            String(decoding: put.body, as: UTF8.self)
                == #"{"berth":{"free":true,"quay":"3"},"length":12.5,"name":"Ida"}"#)
        let login = try contract.request("POST /login", ["user": "a&b=c"])
        #expect(String(decoding: login.body, as: UTF8.self) == "user=a%26b%3Dc")
        #expect(login.headers["content-type"] == "application/x-www-form-urlencoded")
        #expect(try contract.request("batch", ["body": ["1", 2]]).body == Array("[1,2]".utf8))
    }

    @Test func wrongArgumentsAreNamed() {
        #expect(reason("getShip", [:]) == "argument 'id': is missing")
        #expect(reason("getShip", ["id": "x"]) == "argument 'id': found 'x'; an integer is expected")
        #expect(
            reason("getShip", ["id": 1, "size": 2])
                == "argument 'size': there is no such argument; there are: X-Trace, id, parts")
        #expect(reason("putShip", ["id": 1]) == "argument 'name': is missing")
        #expect(
            reason("putShip", ["id": 1, "name": "a", "kind": "yacht"])
                == "argument 'kind': found 'yacht'; it is one of: tug, ferry")
        #expect(
            reason("putShip", ["id": 1, "name": "a", "berth": "3"])
                == "argument 'berth': is an object; write berth.PART=VALUE")
        #expect(
            reason("getShip", ["id": 1, "X-Trace": "a\r\nb: c"])
                == "argument 'X-Trace': a field of a request holds visible ASCII only")
    }

    @Test func answersAreJSONOrText() throws {
        func answer(_ status: Int, _ type: String, _ body: String) throws -> JSON {
            try contract.answer(
                to: "getShip", ContractAnswer(status: status, contentType: type, body: Array(body.utf8)))
        }
        #expect(try answer(200, "application/json", "{\"a\":[1,2.5,null]}") == ["a": [1, .number(2.5), nil]])
        #expect(try answer(204, "", "") == .null)
        #expect(try answer(200, "text/plain", "yes") == "yes")
        #expect(throws: ContractError.refused(status: 404, body: "no such ship")) {
            _ = try answer(404, "text/plain", "no such\nship")
        }
        #expect(throws: ContractError.self) { _ = try answer(200, "application/json", "{") }
    }
}
