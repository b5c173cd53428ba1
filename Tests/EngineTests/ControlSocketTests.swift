import ControlProtocol
import ControlSocket
import Foundation
import NIOPosix
import TestDirectory
import Testing

@testable import Engine
@testable import Hypervisor

/// The control socket against clients that mean no good.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct ControlSocketTests {
    /// Runs a body with a server on the bench's engine.
    func serve(_ body: (Bench, String) async throws -> Void) async throws {
        try await Bench.run { bench in
            let socket = bench.directory.file("e.sock")
            let server = try await ControlServer.bind(socket: socket, engine: bench.engine, logger: quiet)
            let serving = Task { try await server.run() }
            do {
                try await body(bench, socket)
            } catch {
                serving.cancel()
                throw error
            }
            await server.close()
            serving.cancel()
            _ = await serving.result
        }
    }

    /// Still there for everybody else.
    func answers(_ socket: String) async throws {
        let client = try RawClient(socket)
        #expect(try await client.line()?.contains("\"service\":\"2virt\"") == true)
        try await client.send(#"{"id":7,"actor":"t","command":{"events":{"after":0,"limit":1}}}"# + "\n")
        #expect(try await client.line()?.contains("\"id\":7") == true)
    }

    @Test func onlyItsUserReachesIt() async throws {
        try await serve { _, socket in
            let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    /// The end of a channel whose loop is gone is never told: the order of the end is what is tried here.
    @Test(.timeLimit(.minutes(1))) func theEngineEndsWhileClientsAreConnected() async throws {
        for _ in 0..<20 {
            let directory = try TemporaryDirectory()
            let bench = try Bench(FakeVMs(), in: directory)
            try await bench.engine.start()
            let socket = directory.file("e.sock")
            let server = try await ControlServer.bind(socket: socket, engine: bench.engine, logger: quiet)
            let engine = bench.engine
            let serving = Task { try await engine.serve(server) { await engine.waitForShutdownRequest() } }
            let clients = try (0..<8).map { _ in try RawClient(socket) }
            for client in clients { #expect(try await client.line()?.contains("greeting") == true) }
            #expect(await engine.perform(.shutdown, actor: "op").isDone)
            try await serving.value
            for client in clients { #expect(try await client.line() == nil, "the connection has ended") }
        }
    }

    @Test func twoEnginesOnOneSocketAreRefused() async throws {
        try await serve { bench, socket in
            await #expect(throws: ControlServerError.self) {
                _ = try await ControlServer.bind(socket: socket, engine: bench.engine, logger: quiet)
            }
            try await answers(socket)
        }
    }

    @Test func aStaleSocketIsReplacedAndAForeignFileIsNot() async throws {
        let directory = try TemporaryDirectory()
        let socket = directory.file("s.sock")
        // A socket whose engine was killed: bound, and nobody listens.
        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(try withUNIXAddress(socket) { bind(descriptor, $0, $1) } == 0)
        close(descriptor)
        let listener = try ControlListener.listen(socket)
        close(listener.descriptor)
        let file = directory.file("file.sock")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        #expect(throws: ControlSocketError.notASocket(file)) { try ControlListener.listen(file) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data("mine".utf8))
    }

    @Test func garbageGetsAnError() async throws {
        try await serve { _, socket in
            let client = try RawClient(socket)
            _ = try await client.line()
            try await client.send("\u{0}\u{1}garbage\n")
            #expect(try await client.line()?.contains("not a request of this engine's protocol (version 1)") == true)
            try await client.send(#"{"id":42,"actor":"t","command":{"teleport":{"device":"desk"}}}"# + "\n")
            let answer = try #require(try await client.line())
            #expect(answer.contains("\"id\":42"))
            #expect(answer.contains("failed"))
            try await client.send(
                #"{"id":18446744073709551615,"actor":"t","command":{"events":{"after":18446744073709551615,"limit":-9223372036854775808}}}"#
                    + "\n")
            #expect(try await client.line()?.contains("\"id\":18446744073709551615") == true)
            try await answers(socket)
        }
    }

    @Test func aGiantLineEndsItsConnection() async throws {
        try await serve { _, socket in
            let client = try RawClient(socket)
            _ = try await client.line()
            let block = String(repeating: "x", count: 1 << 20)
            // The engine hangs up in the middle.
            await #expect(throws: RawClient.Failure.self) { for _ in 0..<64 { try await client.send(block) } }
            try await answers(socket)
        }
    }

    @Test func aHalfLineAndAGoodbyeAreNothing() async throws {
        try await serve { _, socket in
            for _ in 0..<50 {
                let client = try RawClient(socket)
                try await client.send(#"{"id":1,"actor":"t","comm"#)
                client.endOutput()
                _ = try await client.line()
                #expect(try await client.line() == nil)
            }
            try await answers(socket)
        }
    }

    @Test func twoHundredConnections() async throws {
        try await serve { bench, socket in
            var clients: [RawClient] = []
            for _ in 0..<200 { clients.append(try RawClient(socket)) }
            var greetings: [String] = []
            for client in clients { greetings.append(try await client.line() ?? "") }
            #expect(greetings.count { $0.contains("greeting") } == ControlServer.maximumConnections)
            #expect(greetings.count { $0.contains("more than 128 clients") } == 72)
            clients = []
            try await eventually("all gone") { await bench.engine.hub.subscribers.isEmpty }
            try await answers(socket)
        }
    }

    @Test func thirtyThreeCommandsAtOnce() async throws {
        try await serve { bench, socket in
            let (held, release) = AsyncStream.makeStream(of: Void.self)
            await bench.vms.whenPlugging { for await _ in held { return } }
            // 32 plugs of one device would be refused at once: the limit needs commands that wait.
            let client = try RawClient(socket)
            _ = try await client.line()
            for id in 1...33 {
                try await client.send(
                    #"{"id":\#(id),"actor":"t","command":{"plug":{"device":"desk","vm":"a","via":"usbredir"}}}"# + "\n")
            }
            try await client.send(#"{"id":34,"actor":"t","command":{"snapshot":{}}}"# + "\n")
            var ids: Set<UInt64> = []
            for _ in 0..<33 {
                let line = Data(try #require(try await client.line()).utf8)
                if case .response(let response) = try JSONDecoder().decode(ServerLine.self, from: line) {
                    ids.insert(response.id)
                }
            }
            #expect(ids.count == 33)
            release.finish()
            #expect(try await client.line() != nil)
        }
    }

    @Test func aClientThatGoesDoesNotTakeBackItsOrder() async throws {
        try await serve { bench, socket in
            let (held, release) = AsyncStream.makeStream(of: Void.self)
            await bench.vms.whenPlugging { for await _ in held { return } }
            let client = try RawClient(socket)
            try await client.send(
                #"{"id":1,"actor":"t","command":{"plug":{"device":"desk","vm":"a","via":"usbredir"}}}"# + "\n")
            try await bench.reaches("plugging") { $0.state == .plugging }
            client.end()
            try await eventually("gone") { await bench.engine.hub.subscribers.isEmpty }
            release.finish()
            try await bench.reaches("plugged") { $0.state == .plugged && $0.guest == .configured }
            #expect(await bench.device().by == "t")
        }
    }

    /// It reads nothing: what waits for it is bounded, and others get what they ask for.
    @Test func aSubscriberThatNeverReads() async throws {
        try await serve { bench, socket in
            let deaf = try RawClient(socket)
            try await deaf.send(
                #"{"id":1,"actor":"t","command":{"subscribe":{"_0":{"snapshots":true,"events":true}}}}"# + "\n")
            try await eventually("subscribed") { await bench.engine.hub.wantsSnapshots }
            for number in 0..<20_000 {
                await bench.engine.publish(.info, Subject(), actor: "engine", kind: "noise", "\(number)")
            }
            let outbox = try #require(await bench.engine.hub.subscribers.values.first?.outbox)
            var waiting = 0
            while outbox.next() != nil { waiting += 1 }
            #expect(waiting <= Outbox.maximumEvents + 1)
            try await answers(socket)
            #expect(await bench.plug("desk").isDone)
        }
    }

    @Test func subscribersAreServed() async throws {
        try await serve { bench, socket in
            let client = try RawClient(socket)
            _ = try await client.line()
            try await client.send(
                #"{"id":1,"actor":"t","command":{"subscribe":{"_0":{"snapshots":true,"events":true}}}}"# + "\n")
            #expect(try await client.line()?.contains("subscribed") == true)
            #expect(try await client.line()?.contains("snapshot") == true)
            #expect(await bench.plug("desk").isDone)
            var sawEvent = false
            var sawSnapshot = false
            while !sawEvent || !sawSnapshot {
                let line = try #require(try await client.line())
                if line.contains("\"kind\":\"plugged\"") { sawEvent = true }
                if sawEvent, line.contains("\"state\":\"plugged\"") { sawSnapshot = true }
            }
        }
    }

    @Test(arguments: [("guest", "somebody called guest"), ("", "somebody"), ("a\u{1B}[1mb", "a[1mb")])
    func actorsAreShownSafely(_ actor: String, _ shown: String) async throws {
        try await serve { bench, socket in
            let client = try RawClient(socket)
            _ = try await client.line()
            let request = Request(id: 1, actor: actor, command: .plug(device: "desk", vm: "a", via: .usbredir))
            try await client.send(String(decoding: try JSONEncoder().encode(request), as: UTF8.self) + "\n")
            #expect(try await client.line()?.contains("done") == true)
            #expect(await bench.device().by == shown)
        }
    }
}
