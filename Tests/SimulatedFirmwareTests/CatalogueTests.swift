import Foundation
import NIOPosix
import Testing

@testable import SimulatedFirmware

struct CatalogueTests {
    @Test(
        arguments: [
            ("pty", .pty), ("unix:/run/a b.sock", .unix(path: "/run/a b.sock")),
            ("tcp:127.0.0.1:7001", .tcp(host: "127.0.0.1", port: 7001)),
            ("tcp:[::1]:7001", .tcp(host: "::1", port: 7001)),
        ] as [(String, SerialTarget)])
    func readsSerialTargets(text: String, target: SerialTarget) throws {
        #expect(try SerialTarget(parsing: text) == target)
        #expect(target.text == text)
    }

    @Test(arguments: [
        "", "ptty", "unix:relative", "unix:", "tcp:7001", "tcp:a:0", "tcp:a:65536", "tcp:::1:80", "tcp::1",
    ])
    func refusesSerialTargets(text: String) {
        #expect(throws: CatalogueError.unknownSerialTarget(text)) { try SerialTarget(parsing: text) }
        #expect("\(CatalogueError.unknownSerialTarget(text))".contains("found '\(text)'; allowed: pty, unix:/path"))
    }

    @Test func refusesLongSocketPaths() {
        let path = "/" + String(repeating: "a", count: 107)
        #expect(throws: CatalogueError.pathTooLong(path, limit: 107)) { try SerialTarget(parsing: "unix:\(path)") }
    }

    @Test(
        arguments: [
            ("127.0.0.1:8080", .tcp(host: "127.0.0.1", port: 8080), ""),
            ("web-1.lan:80", .tcp(host: "web-1.lan", port: 80), ""),
            ("[::1]:81", .tcp(host: "::1", port: 81), ""), ("unix:/run/x.sock", .unix(path: "/run/x.sock"), ""),
            ("http://a", .tcp(host: "a", port: 80), ""), ("http://a:81/", .tcp(host: "a", port: 81), ""),
            ("http://a:81/b/c/", .tcp(host: "a", port: 81), "/b/c"),
        ] as [(String, Upstream.Endpoint, String)])
    func readsUpstreams(text: String, endpoint: Upstream.Endpoint, base: String) throws {
        let upstream = try Upstream(parsing: text)
        #expect(upstream.endpoint == endpoint)
        #expect(upstream.basePath == base)
    }

    @Test(arguments: [
        "", "a", "a:", ":80", "a:b", "a:99999", "a b:80", "a/b:80", "https://a", "http://", "http://a:x/",
        "http://a/b?c",
        "http://u@a/", "unix:x",
    ])
    func refusesUpstreams(text: String) {
        let error = #expect(throws: CatalogueError.self) { try Upstream(parsing: text) }
        #expect(error.map { "\($0)" }?.contains("upstream '\(text)'") == true)
        #expect(error.map { "\($0)" }?.contains("allowed: HOST:PORT") == true)
    }

    @Test func namesTheInterfaceWithoutUpstreams() {
        #expect(throws: CatalogueError.noUpstreams(interface: "web")) {
            try InterfaceSpec.webService(name: "web", upstreams: [String]())
        }
    }

    @Test func refusesAPathThatIsNotASocketOrInUse() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "2v-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "file").path
        try Data("x".utf8).write(to: URL(filePath: file))
        let spec = try InterfaceSpec.serial(name: "tty", to: "unix:\(file)")
        #expect(Catalogue.problem(with: spec) == .notASocket(path: file))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        func make(_ spec: InterfaceSpec) async throws {
            try await loop.submit {
                let function = try Catalogue.makeFunction(spec, eventLoop: loop, logger: .test)
                function.shutdown()
            }.get()
            // What shutdown has left to the loop.
            try await loop.submit {}.get()
        }
        await #expect(throws: CatalogueError.notASocket(path: file)) { try await make(spec) }
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("x".utf8))

        // A live socket is somebody's; a dead one is replaced.
        let path = folder.appending(path: "sock").path
        let socket = try InterfaceSpec.serial(name: "tty", to: "unix:\(path)")
        let live = try SocketFile.listen(at: path)
        await #expect(throws: CatalogueError.inUse(path)) { try await make(socket) }
        close(live)
        #expect(Catalogue.problem(with: socket) == nil)
        try await make(socket)
        let missing = folder.appending(path: "no/where").path
        await #expect(throws: CatalogueError.cannotListen(missing, reason: "No such file or directory")) {
            try await make(try InterfaceSpec.serial(name: "tty", to: "unix:\(missing)"))
        }
        try await group.shutdownGracefully()
    }

    @Test func knowsTitles() throws {
        #expect(try InterfaceSpec.serial(name: "a", to: "pty").title == "Serial")
        #expect(try InterfaceSpec.webService(name: "a", upstreams: ["a:1"] as [String]).title == "Web Service")
        #expect(InterfaceSpec.kinds.allSatisfy { Catalogue.title(ofKind: $0) != nil })
    }
}
