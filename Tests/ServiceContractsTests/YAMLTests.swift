import Testing

@testable import ServiceContracts

/// OpenAPI as people write it: in YAML.
@Suite struct YAMLTests {
    /// What `OpenAPITests.document` says, with anchors, merges, block text and comments.
    static let document = #"""
        # Ships
        openapi: 3.1.0
        info: {title: Ships, description: "Who lies\n where."}
        servers:
          - url: https://public.example/api/v1/
        paths:
          /ships/{id}:
            parameters:
              - name: id
                in: path
                required: true
                schema: {type: integer}
            get:
              operationId: getShip
              summary: One ship.
              parameters:
              - {name: parts, in: query, schema: {type: array, items: {type: string}}}
              - name: X-Trace
                in: header
                schema: {anyOf: [{type: string}, {type: 'null'}]}
              responses: {200: {content: &ship {application/json: {schema: {$ref: '#/components/schemas/Ship'}}}}}
            put:
              operationId: putShip
              requestBody: {required: true, content: *ship}
              responses:
                "204": {}
          /login:
            post:
              requestBody:
                content:
                  application/x-www-form-urlencoded:
                    schema:
                      type: object
                      required: [user]
                      properties: {user: {type: string}}
          /batch:
            post:
              operationId: batch
              requestBody:
                required: true
                content: {application/json: {schema: {type: array, items: {type: integer}}}}
        components:
          schemas:
            Named: &named
              type: object
              required: [name]
              properties: {name: {type: string}}
            Ship:
              allOf:
              - <<: *named
              - properties:
                  length: {type: number}
                  kind: {enum: [tug, ferry]}
                  berth: {type: object, properties: {quay: {type: string}, free: {type: boolean}}}
        """#

    private func read(_ text: String) throws -> JSON { try YAMLReader.read(Array(text.utf8)) }

    private func reason(_ text: String) -> String {
        do {
            return "read: \(try read(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test func saysWhatJSONSays() throws {
        let yaml = try ServiceDocument.read(Array(Self.document.utf8))
        let json = try ServiceDocument.read(Array(OpenAPITests.document.utf8))
        #expect(yaml.description == json.description && yaml.path == json.path)
        let (one, other) = (try yaml.request("getShip", ["id": "7"]), try json.request("getShip", ["id": "7"]))
        #expect(one == other)
        // JSON is YAML, too.
        let both = try ServiceDocument.read(Array(("# JSON\n" + OpenAPITests.document).utf8))
        #expect(both.description == json.description)
        let swagger = "swagger: 2.0\npaths:\n  /a:\n    get: {operationId: a}\n"
        #expect(try ServiceDocument.read(Array(swagger.utf8)).description.operations.map(\.name) == ["a"])
    }

    @Test func scalarsAreOfTheCoreSchema() throws {
        let text = """
            - [~, null, '', "null", yes, on, true, FALSE, 1, -2, +3, 0x1F, 0o17, 017, 1.5, .5, 2., 1e3, 1.2.3, 1e999]
            - [2026-01-31, 12:30, 1_000, .inf, -, 9223372036854775808, !!str 5, "5", 0x, e3, '.']
            - |
              two
              lines
            - >-
              one
              line
            """
        #expect(
            try read(text) == [
                [
                    nil, nil, "", "null", "yes", "on", true, false, 1, -2, 3, 31, 15, 17, .number(1.5), .number(0.5),
                    .number(2), .number(1000), "1.2.3", "1e999",
                ],
                [
                    "2026-01-31", "12:30", "1_000", ".inf", "-", .number(9_223_372_036_854_775_808), "5", "5", "0x",
                    "e3",
                    ".",
                ],
                "two\nlines\n", "one line",
            ])
    }

    @Test func aliasesAndMerges() throws {
        let text = """
            base: &base {a: 1, b: 2}
            more: &more {b: 3, c: 4}
            one: {<<: *base, b: 5}
            two: {<<: [*base, *more]}
            text: {"<<": 1}
            again: &base x
            last: *base
            """
        let value = try read(text)
        #expect(value["one"] == ["a": 1, "b": 5] && value["two"] == ["a": 1, "b": 2, "c": 4])
        #expect(value["text"] == ["<<": 1] && value["last"] == "x")
    }

    @Test func mistakesAreNamedWithTheirLines() {
        #expect(reason("a: 1\na: 2") == "it is not YAML: 'a' stands twice in one mapping (line 2)")
        #expect(reason("a: *b") == "it is not YAML: no value is known as 'b' (line 1)")
        #expect(reason("a: &a [*a]") == "it is not YAML: no value is known as 'a' (line 1)")
        #expect(reason("? [a]\n: 1") == "it is not YAML: a key is not text (line 1)")
        #expect(reason("a: &x 1\n*x : 2") == "it is not YAML: a key is an alias (line 2)")
        #expect(reason("a\n---\nb") == "it is not YAML: a second document begins (line 2)")
        #expect(reason("a: {<<: 1}") == "it is not YAML: '<<' merges what is no mapping (line 1)")
        #expect(reason("a: [1").contains("did not find expected ',' or ']'"))
        #expect(reason("a: b: c").contains("mapping values are not allowed in this context (line 1, column 5)"))
        #expect(reason("\u{0}").hasPrefix("it is not YAML: "))
        #expect((try? YAMLReader.read([0x61, 0xFF, 0x62])) == nil)
    }

    @Test func depthAndSizeAreBounded() {
        #expect(
            reason(String(repeating: "[", count: 100_000)).hasPrefix("it is too large: it is nested deeper than 100"))
        #expect(reason(String(repeating: "- ", count: 100_000) + "a").hasPrefix("it is too large: it is nested deeper"))
        #expect(
            reason(String(repeating: "{a: ", count: 101)).hasPrefix("it is too large: it is nested deeper than 100"))
        let open = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(reason(open).hasPrefix("read: "))
        #expect(reason(String(repeating: "? ", count: 100_000)) == "it is not YAML: a key is not text (line 1)")
    }

    /// Each line nine times the one before: a billion values out of a page.
    @Test func aliasesCountAsWhatTheyStandFor() {
        var lines = ["a0: &a0 laughter"]
        for level in 1...12 {
            let items = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            lines.append("a\(level): &a\(level) [\(items)]")
        }
        #expect(reason(lines.joined(separator: "\n")).hasPrefix("it is too large: its values come to more than"))
        let merges = (1...14).map { "b\($0): &b\($0) {<<: [*b\($0 - 1), *b\($0 - 1)], k\($0): 1}" }
        #expect(reason((["b0: &b0 {k: 1}"] + merges).joined(separator: "\n")).hasPrefix("read: "))
        let long = "a: &a \(String(repeating: "x", count: 1_000_000))\nb: [\(String(repeating: "*a, ", count: 20))]"
        #expect(reason(long).hasPrefix("it is too large: "))
    }
}
