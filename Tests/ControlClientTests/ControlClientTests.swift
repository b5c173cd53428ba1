import ControlClient
import ControlProtocol
import ControlSocket
import FakeEngine
import Foundation
import TestDirectory
import Testing

@Suite("Control client", .timeLimit(.minutes(1)))
struct ControlClientTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func connect() async throws(ControlClientError) -> ControlClient {
        try await ControlClient.connect(to: directory.socket, actor: "root@pts/1")
    }

    @Test func commandsGetTheirOutcomesAndPushesArrive() async throws {
        let snapshot = Snapshot(revision: 7, vms: [VMSnapshot(id: "a", name: "web-01", source: "qmp", state: .running)])
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .serving(snapshot))
        let client = try await connect()
        #expect(client.greeting.pid == getpid())
        #expect(try await client.send(.snapshot) == .snapshot(snapshot))
        #expect(
            try await client.send(.plug(device: "desk", vm: "web-01", via: .usbip)) == .failed("no device 'desk'"))
        #expect(try await client.send(.subscribe(Subscription(snapshots: true))) == .done("done"))
        var pushes = client.pushes.makeAsyncIterator()
        #expect(try await pushes.next() == .snapshot(snapshot))
        #expect(engine.received.allSatisfy { $0.actor == "root@pts/1" })
        #expect(Set(engine.received.map(\.id)).count == 3)
        try await engine.stop()
        await #expect(throws: ControlClientError.closed(socket: directory.socket)) { _ = try await pushes.next() }
        await #expect(throws: ControlClientError.closed(socket: directory.socket)) {
            _ = try await client.send(.snapshot)
        }
    }

    @Test func aMissingSocketIsNobodyListening() async throws {
        let error = await #expect(throws: ControlClientError.self) { _ = try await self.connect() }
        #expect(error == .nobodyListening(socket: directory.socket))
        #expect(error?.isNobodyListening == true)
        #expect("\(error as Any)".contains(directory.socket))
    }

    @Test func aSocketFileNobodyServesIsNobodyListening() async throws {
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .serving(Snapshot()))
        try FileManager.default.moveItem(atPath: directory.socket, toPath: directory.socket + ".kept")
        try await engine.stop()
        try FileManager.default.moveItem(atPath: directory.socket + ".kept", toPath: directory.socket)
        await #expect(throws: ControlClientError.nobodyListening(socket: directory.socket)) {
            _ = try await self.connect()
        }
    }

    @Test func anotherVersionIsToldWithBothNumbers() async throws {
        let engine = try await FakeEngine.start(
            socket: directory.socket,
            behaviour: .raw(#"{"greeting":{"_0":{"service":"2virt","version":99,"pid":4312}}}"# + "\n"))
        let error = await #expect(throws: ControlClientError.self) { _ = try await self.connect() }
        #expect(error == .version(socket: directory.socket, engine: 99, pid: 4312))
        #expect(error?.description.contains("99") == true)
        try await engine.stop()
    }

    @Test(
        "Whatever is no greeting is no engine",
        arguments: [
            "\n", "SSH-2.0-OpenSSH_9.2\n", "{}\n", "null\n", "{\"greeting\":{}}\n", "\u{1b}]0;owned\u{07}\n",
            #"{"greeting":{"_0":{"service":"other","version":1,"pid":1}}}"# + "\n",
            #"{"response":{"_0":{"id":1,"outcome":{"done":{"_0":"x"}}}}}"# + "\n",
            "deep",
        ])
    func whateverIsNoGreetingIsNoEngine(line: String) async throws {
        // Nesting that a recursive parser could not bear; too long to be the test's name.
        let bytes = line == "deep" ? String(repeating: "[", count: 100_000) + "\n" : line
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .raw(bytes))
        let error = await #expect(throws: ControlClientError.self) { _ = try await self.connect() }
        guard case .notAnEngine = error else {
            Issue.record("expected notAnEngine, got \(error as Any)")
            return
        }
        let text = error?.description ?? ""
        #expect(text.contains(directory.socket))
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }, "control characters get through")
        try await engine.stop()
    }

    @Test func anEngineThatClosesBeforeGreetingIsClosed() async throws {
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .rawThenClose("{\"greet"))
        await #expect(throws: ControlClientError.closed(socket: directory.socket)) { _ = try await self.connect() }
        try await engine.stop()
    }

    @Test(
        "A line that breaks the protocol ends the connection with the reason",
        arguments: [
            #"{"response":{"_0":{"id":77,"outcome":{"done":{"_0":"x"}}}}}"#,
            #"{"response":{"_0":{"id":-1,"outcome":{"done":{"_0":"x"}}}}}"#,
            #"{"response":{"_0":{"id":1,"outcome":{}}}}"#,
            #"{"push":{"_0":{"event":{"_0":{}}}}}"#,
            #"{"greeting":{"_0":{"service":"2virt","version":1,"pid":1}}}"#,
            #"{"response":{"_0":{"id":1e400,"outcome":{"done":{"_0":"x"}}}}}"#,
            "garbage", "\u{0}\u{1}\u{2}", "[1,2,3]",
        ])
    func aLineThatBreaksTheProtocolEndsTheConnection(line: String) async throws {
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .greetingThenRaw(line + "\n"))
        let client = try await connect()
        let error = await #expect(throws: ControlClientError.self) { _ = try await client.send(.snapshot) }
        guard case .violation = error else {
            Issue.record("expected violation, got \(error as Any)")
            return
        }
        try await engine.stop()
    }

    @Test func aLineWithoutEndIsCutOffAtTheLimit() async throws {
        let engine = try await FakeEngine.start(
            socket: directory.socket,
            behaviour: .greetingThenRaw(String(repeating: "x", count: ControlProtocol.maximumLineLength + 1)))
        let client = try await connect()
        let error = await #expect(throws: ControlClientError.self) { _ = try await client.send(.snapshot) }
        guard case .violation(_, let detail) = error else {
            Issue.record("expected violation, got \(error as Any)")
            return
        }
        #expect(detail.contains("\(ControlProtocol.maximumLineLength)"))
        try await engine.stop()
    }

    @Test func closingFailsWhoWaits() async throws {
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .greetingThenRaw(""))
        let client = try await connect()
        let outcome = Task { try await client.send(.snapshot) }
        for await _ in engine.requests { break }
        client.close()
        await #expect(throws: ControlClientError.cancelled(socket: directory.socket)) { _ = try await outcome.value }
        try await engine.stop()
    }

    @Test func aLinkComesBackAndSubscribesAgain() async throws {
        let engine = try await FakeEngine.start(socket: directory.socket, behaviour: .serving(Snapshot(revision: 3)))
        let link = EngineLink(
            socket: directory.socket, actor: "root@pts/1", subscription: Subscription(snapshots: true))
        await link.start()
        var seen: [String] = []
        for await event in link.events {
            switch event {
            case .connected: seen.append("connected")
            case .push(.snapshot(let snapshot)):
                seen.append("snapshot \(snapshot.revision)")
                if seen.count == 2 { engine.dropConnections() }
            case .push: seen.append("other")
            case .lost(let reason, _):
                #expect(reason.contains(directory.socket))
                seen.append("lost")
            }
            if seen.count == 5 { break }
        }
        #expect(seen == ["connected", "snapshot 3", "lost", "connected", "snapshot 3"])
        await link.stop()
        try await engine.stop()
    }
}
