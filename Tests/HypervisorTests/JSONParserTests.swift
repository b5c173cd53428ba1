import Foundation
import Testing

@testable import Hypervisor

struct JSONParserTests {
    func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(text.utf8) }

    @Test func everyKindOfValue() throws {
        let text = #" {"a": [1, -2.5e1, true, false, null, "x\n\"\\\/A\ud83d\ude00"], "b": {}, "": []} "#
        #expect(
            try parse(text)
                == .object([
                    "a": .array([.int(1), .double(-25), .bool(true), .bool(false), .null, "x\n\"\\/A😀"]),
                    "b": .object([:]), "": .array([]),
                ]))
        #expect(try parse("9223372036854775807") == .int(.max))
        #expect(try parse("18446744073709551615") == .double(18_446_744_073_709_551_616))
    }

    @Test func whatFoundationWritesIsReadBack() throws {
        let value: JSONValue = ["k": .array([.string("é\u{0}\u{1f}\"\\/"), .int(.min), .double(0.1), .null, true])]
        #expect(try JSONParser.parse(JSONEncoder().encode(value)) == value)
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{1:2}", "\"", "\"\\",
        "\"\\u12",
        "\"\\uzzzz\"", "\"\\x\"", "tru", "nul", "1 2", "-", "1e999", "--1", "1.2.3", "+1", "\"\u{1}\"", "]", "{]",
        "'a'",
    ])
    func malformedTextIsAnError(_ text: String) {
        #expect(throws: JSONParser.Malformed.self) { try parse(text) }
    }

    @Test func loneSurrogatesAndIllFormedUTF8BecomeReplacements() throws {
        #expect(try parse(#""\ud800""#) == "\u{fffd}")
        #expect(try parse(#""\udc00x""#) == "\u{fffd}x")
        #expect(try JSONParser.parse([0x22, 0xff, 0x22]) == "\u{fffd}")
    }

    @Test func nestingIsBounded() throws {
        let nested = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        #expect(throws: Never.self) { try parse(nested(JSONParser.maximumDepth)) }
        #expect(throws: JSONParser.Malformed.self) { try parse(nested(JSONParser.maximumDepth + 1)) }
        #expect(throws: JSONParser.Malformed.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test func anyBytesAreAnErrorOrAValueAndNeverATrap() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array(#"{}[]",:\u0d8etrfn-.1 "#.utf8) + [0, 0xff]
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...24)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            _ = try? JSONParser.parse(bytes)
        }
    }
}
