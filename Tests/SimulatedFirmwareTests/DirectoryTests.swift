import Foundation
import NIOCore
import NIOPosix
import ServiceContracts
import Testing

@testable import SimulatedFirmware

/// The directory of a Web Service pipe, up to where a real service would be asked.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct DirectoryTests {
    private static let document = """
        {"openapi": "3.0.0", "info": {"title": "Names"}, "paths": {"/name/{part}": {"get": {"operationId": "name",
        "parameters": [{"name": "part", "in": "path", "required": true, "schema": {"type": "integer"}}]}}}}
        """

    private func bench(_ services: [ServiceDeclaration]) async throws -> Bench {
        let bench = try await Bench { loop in
            let function = WebServiceFunction(name: "office", eventLoop: loop, logger: .test)
            function.give(services)
            return function
        }
        try await bench.run { $0.guest.configure() }
        try await bench.startClient()
        return bench
    }

    private func json(_ answer: Answer) throws -> JSON { try JSON(parsing: Array(answer.text.utf8)) }

    private func withService(
        _ document: String = Self.document, _ body: (ServiceDeclaration) async throws -> Void
    ) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "2v-\(UUID().uuidString.prefix(8)).json").path
        try document.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let origin = try await OriginServer("one", on: group)
        try await body(try ServiceDeclaration(name: "names", url: origin.text, document: "file:\(file)"))
        try await origin.kill()
        try await group.shutdownGracefully()
    }

    @Test func readsDocumentsInYAML() async throws {
        let text = "swagger: '2.0'\npaths:\n  /a/{b}:\n    get: {operationId: a, parameters: [{name: b, in: path}]}\n"
        try await withService(text) { service in
            let bench = try await bench([service])
            let description = try json(try await bench.request("\(ServiceDirectory.path)/names"))
            #expect(description["operations"]?.array?.first?["name"] == "a")
            let document = try await bench.request("\(ServiceDirectory.path)/names/document")
            #expect(document.text == text && document.headers.first(name: "content-type") == "application/yaml")
            try await bench.end()
        }
    }

    @Test func listsDescribesAndCallsWhatWasGiven() async throws {
        try await withService { service in
            let bench = try await bench([service])
            let list = try json(try await bench.request(ServiceDirectory.path, authority: "anything"))
            let entry = try #require(list["services"]?.array?.first)
            #expect(entry["name"] == "names" && entry["kind"] == "rest" && entry["operations"] == 1)
            #expect(entry["description"] == "Names" && entry["health"] == "up")
            let description = try json(try await bench.request("\(ServiceDirectory.path)/names"))
            #expect(description["operations"]?.array?.first?["name"] == "name")
            let document = try await bench.request("\(ServiceDirectory.path)/names/document")
            #expect(document.text == Self.document)
            // The server answers everything with its name.
            let call = try await bench.request(
                "\(ServiceDirectory.path)/names/operations/name", method: "POST",
                headers: [("content-type", "application/json")], body: "{\"part\": \"1\"}")
            #expect(call.status == 200 && call.text == "\"one\"\n")
            let plain = try await bench.request("/x", authority: "names")
            #expect(plain.status == 200 && plain.text == "one")
            try await bench.end()
        }
    }

    @Test func refusalsNameWhatIsWrong() async throws {
        try await withService { service in
            let bench = try await bench([service])
            for (path, method, body, status, kind) in [
                ("/other", "GET", "", 404, "no-such-service"), ("/names", "DELETE", "", 405, "bad-request"),
                ("/names/nothing", "GET", "", 404, "bad-request"),
                ("/names/operations/sing", "POST", "{}", 404, "no-such-operation"),
                ("/names/operations/name", "POST", "[]", 400, "bad-request"),
                ("/names/operations/name", "POST", "{", 400, "bad-request"),
                ("/names/operations/name", "POST", "{\"part\": \"x\"}", 400, "bad-argument"),
                ("/names/operations/name", "GET", "", 405, "bad-request"),
            ] {
                let answer = try await bench.request(ServiceDirectory.path + path, method: method, body: body)
                #expect(answer.status == status, "\(method) \(path)")
                #expect(try json(answer)["error"]?["kind"] == .string(kind), "\(method) \(path)")
            }
            let refused = try await bench.request("/", authority: "other")
            #expect(refused.status == 403)
            try await bench.end()
        }
    }

    @Test func whatIsTakenBackIsGone() async throws {
        try await withService { service in
            let bench = try await bench([service])
            #expect(try await bench.request("/x", authority: "names").status == 200)
            try await bench.run { ($0.function as? WebServiceFunction)?.give([]) }
            #expect(try await bench.request("/x", authority: "names").status == 403)
            #expect(try await bench.request("\(ServiceDirectory.path)/names").status == 404)
            let list = try json(try await bench.request(ServiceDirectory.path))
            #expect(list["services"] == [])
            try await bench.end()
        }
    }

    @Test func aServiceThatIsDownIsListedSo() async throws {
        let service = try ServiceDeclaration(name: "gone", url: "127.0.0.1:1", document: "http://127.0.0.1:1/a?wsdl")
        let bench = try await bench([service])
        let answer = try json(try await bench.request(ServiceDirectory.path))
        #expect(answer["services"]?.array?.first?["documentTrouble"]?.string?.contains("refused") == true)
        let call = try await bench.request("\(ServiceDirectory.path)/gone/operations/a", method: "POST", body: "{}")
        #expect(call.status == 409)
        #expect(try json(call)["error"]?["kind"] == "no-document")
        try await bench.end()
    }

    @Test func theListOf2010IsAControlRequest() async throws {
        let service = try ServiceDeclaration(name: "a", url: "127.0.0.1:1", description: "The first")
        let bench = try await bench([service])
        let list = try await bench.run { $0.guest.control(0xC1, 0x04, length: 256)?.data }
        #expect(list.map { String(decoding: $0, as: UTF8.self) } == "The first\0\(ServiceDirectory.path)/a\0")
        let hello = try await bench.run { $0.guest.control(0xC1, 0x00, length: 8)?.data }
        #expect(hello == [0x00, 0x01, 2, 0, 0, 0, 1, 0])
        try await bench.end()
    }

    @Test func declarationsAreChecked() {
        #expect(throws: CatalogueError.badServiceName("a b")) { try ServiceDeclaration(name: "a b", url: "h:1") }
        #expect(throws: CatalogueError.badServiceDocument("ftp://h/a")) {
            try ServiceDeclaration(name: "a", url: "h:1", document: "ftp://h/a")
        }
        #expect(throws: CatalogueError.self) { try ServiceDeclaration(name: "a", url: "https://h") }
    }
}
