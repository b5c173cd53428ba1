import Testing

@testable import ServiceContracts

/// Documents come from servers that a guest's owner may have a hand in.
@Suite struct DocumentTests {
    private func reason(_ text: String) -> String {
        do {
            return "read: \(try ServiceDocument.read(Array(text.utf8)).description.operations.count)"
        } catch {
            return "\(error)"
        }
    }

    @Test func whatIsNoDocumentIsNamed() {
        #expect(reason("") == "it is empty")
        #expect(reason("hello") == "it is neither WSDL (XML) nor OpenAPI in JSON or YAML")
        #expect(reason("<html></html>") == "it is XML, but its root is 'html' and not WSDL's 'definitions'")
        #expect(reason("<a><b></a>").hasPrefix("it is not XML: a mistake at line"))
        #expect(reason("{\"a\": 1}") == "it is JSON or YAML, but not OpenAPI 3 or Swagger 2.0")
        #expect(reason("{\"openapi\": \"3.0.0\"}") == "it is OpenAPI without any operation")
        #expect(reason("{\"openapi\": ").hasPrefix("it is not JSON: "))
        #expect(
            reason("<definitions xmlns=\"http://schemas.xmlsoap.org/wsdl/\"/>")
                == "it is WSDL without a service whose port has a SOAP binding")
    }

    @Test func documentTypesAreRefused() {
        let bomb = """
            <!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
            <definitions xmlns="http://schemas.xmlsoap.org/wsdl/">&b;</definitions>
            """
        #expect(reason(bomb) == "it is not XML: it has a document type, which nothing that is read here needs")
        let file = """
            <!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]>
            <definitions xmlns="http://schemas.xmlsoap.org/wsdl/">&a;</definitions>
            """
        #expect(reason(file) == "it is not XML: it has a document type, which nothing that is read here needs")
    }

    @Test func encodingsAreUnderstoodOrNamed() throws {
        let latin = Array("<?xml version='1.0' encoding='ISO-8859-1'?><a>".utf8) + [0xE4] + Array("</a>".utf8)
        #expect(try XMLTree.parse(latin).text == "ä")
        #expect(throws: ContractError.badXML("it is not in the UTF-8 that it says it is")) {
            _ = try XMLTree.parse(Array("<a>".utf8) + [0xE4] + Array("</a>".utf8))
        }
        #expect(
            reason("<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>")
                == "it is not XML: its encoding is 'utf-7'; UTF-8 and ISO-8859-1 are understood")
        #expect(reason("<\0a\0/").hasPrefix("it is not XML: it contains a NUL"))
    }

    @Test func depthAndSizeAreBounded() {
        let deep = String(repeating: "<a>", count: 5000)
        #expect(reason(deep).hasPrefix("it is too large: "))
        let many = "<a>" + String(repeating: "<b/>", count: 250_000) + "</a>"
        #expect(reason(many).hasPrefix("it is too large: "))
        let large = [UInt8](repeating: 0x20, count: ServiceDocument.maximumBytes + 1)
        #expect(throws: ContractError.self) { _ = try ServiceDocument.read(large) }
        let nested = String(repeating: "[", count: 100_000)
        #expect(reason("{\"openapi\":" + nested).hasPrefix("it is not JSON: "))
    }

    /// Types that contain themselves, and references that lead to themselves, end.
    @Test func circlesEnd() throws {
        let circle = """
            {"openapi": "3.0.0", "paths": {"/a": {"post": {"operationId": "a", "requestBody": {"content":
            {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}},
            "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}}}
            """
        #expect(reason(circle) == "read: 1")
        let nested = circle.replacing(
            "{\"$ref\": \"#/components/schemas/A\"}}}",
            with: "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/components/schemas/B\"}}}}}")
        let contract = try ServiceDocument.read(Array(nested.utf8))
        #expect(contract.description.operations.count == 1)
        _ = try contract.request("a", ["a": ["a": ["a": [:]]]])
    }

    /// Damage anywhere in a document costs that document and nothing else.
    @Test func damagedDocumentsNeverTrap() {
        var generator = SplitMix(state: 1)
        for original in [StockWSDL.text, StockWSDL.rpc, OpenAPITests.document, YAMLTests.document] {
            for _ in 0..<1500 {
                var bytes = Array(original.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                    case 1: bytes.remove(at: index)
                    default: bytes.replaceSubrange(index..<min(index + 40, bytes.count), with: [])
                    }
                }
                guard let contract = try? ServiceDocument.read(bytes) else { continue }
                for operation in contract.description.operations {
                    _ = try? contract.request(operation.name, ["order": ["items": [["a": 1]]], "a": "1"])
                    _ = try? contract.answer(
                        to: operation.name, ContractAnswer(status: 200, contentType: "application/json", body: bytes))
                }
            }
        }
    }
}

/// A generator with a seed: a failure can be had again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
