import NIOHPACK
import NIOHTTP1
import Testing

@testable import GuestClientKit

@Suite struct HeaderTranslationTests {
    private func path(_ uri: String, _ method: HTTPMethod = .GET) throws -> String? {
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri)
        return try HeaderTranslation.request(head, authority: "web").first(name: ":path")
    }

    @Test func targetForms() throws {
        #expect(try path("/a?b") == "/a?b")
        #expect(try path("*", .OPTIONS) == "*")
        #expect(try path("http://host:1/a?b") == "/a?b")
        #expect(try path("http://host") == "/")
        #expect(try path("http://host?q") == "/?q")
        #expect(throws: HeaderTranslation.Refusal.self) { try path("*") }
        #expect(throws: HeaderTranslation.Refusal.self) { try path("") }
    }

    @Test func fieldsThatPretendToBePseudoFieldsAreDropped() throws {
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/",
            headers: [":authority": "other", "Connection": "x-a", "X-A": "1"])
        let block = try HeaderTranslation.request(head, authority: "web")
        #expect(block[":authority"] == ["web"])
        #expect(block["x-a"].isEmpty)
    }

    @Test(arguments: [
        (["200"], 200), (["099"], nil), (["1000"], nil), (["abc"], nil), ([], nil), (["200", "201"], nil),
    ])
    func statusIsChecked(_ values: [String], _ expected: Int?) {
        var block = HPACKHeaders()
        for value in values { block.add(name: ":status", value: value) }
        #expect(HeaderTranslation.status(block) == expected)
    }

    @Test func anAnswerOfUnknownLengthEndsAnOldClientsConnection() {
        let old = HTTPRequestHead(version: .http1_0, method: .GET, uri: "/")
        let answer = HeaderTranslation.response(
            status: 200, block: HPACKHeaders(), endStream: false, request: old, keepAlive: true)
        #expect(!answer.keepAlive)
        #expect(answer.head.headers["connection"] == ["close"])
        #expect(!answer.head.headers.contains(name: "transfer-encoding"))
    }
}
