import Foundation
import NIOCore
import NIOPosix
import TestDirectory
import Testing

@testable import Hypervisor

@Suite(.timeLimit(.minutes(1)))
struct QMPClientTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("q.qmp") }
    var group: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

    init() throws { directory = try TemporaryDirectory() }

    func connect(limits: QMPLimits = QMPLimits(), greeting: TimeAmount = .milliseconds(300)) async -> QMPError? {
        do throws(QMPError) {
            let client = try await QMPClient.connect(
                socketPath: path, group: group, limits: limits, greetingTimeout: greeting)
            await client.close()
            return nil
        } catch {
            return error
        }
    }

    static func ok(_ id: Int64) -> String { #"{"return": {}, "id": \#(id)}"# + "\r\n" }

    @Test func missingSocketNamesItAndTheSystemsReason() async {
        #expect(await connect() == .connectFailed(socket: path, reason: "No such file or directory"))
    }

    @Test(arguments: ["", "/tmp/" + String(repeating: "x", count: 103)])
    func impossiblePathIsRefusedBeforeConnecting(_ path: String) async {
        await #expect(throws: QMPError.self) { try await QMPClient.connect(socketPath: path, group: group) }
    }

    @Test func garbageIsNamed() async throws {
        let peer = try await FakePeer(path: path, hello: "SSH-2.0-OpenSSH_9.2\r\n") { _, _ in "" }
        #expect(await connect() == .malformed(socket: path, detail: "a line is not JSON: \"SSH-2.0-OpenSSH_9.2.\""))
        try await peer.close()
    }

    @Test(arguments: [
        "{}", "[]", "3", "null", #"{"return": {}}"#, #"{"error": {}}"#, #"{"return": 1, "id": "x"}"#,
        String(repeating: "[", count: 100_000), "\u{0}\u{1}", #"{"QMP": "#, #"{"return": 1, "id": 99}"#,
    ])
    func wrongJSONIsMalformed(_ line: String) async throws {
        let peer = try await FakePeer(path: path, hello: line + "\n") { _, _ in "" }
        guard case .malformed(path, _) = await connect(greeting: .seconds(5)) else {
            Issue.record("not malformed")
            return
        }
        try await peer.close()
    }

    /// QEMU that is killed with a command unread resets the connection: that is its end, not a failure to connect.
    @Test func aResetConnectionIsClosed() async throws {
        let listener = try UnixListener(path)
        let client = try await QMPClient.open(socketPath: path, group: group, limits: .init())
        let ended = Task { try await client.execute("query-status") }
        await listener.acceptAndCloseUnread()
        await #expect(throws: QMPError.closed(socket: path, during: "query-status")) { try await ended.value }
        await client.close()
    }

    @Test func silenceIsNoGreeting() async throws {
        let peer = try await FakePeer(path: path, hello: "") { _, _ in "" }
        #expect(await connect() == .noGreeting(socket: path, seconds: 0.3))
        try await peer.close()
    }

    @Test(arguments: [true, false])
    func giantLineIsRefusedAtTheLimit(_ isFinished: Bool) async throws {
        let line = String(repeating: "x", count: 70_000) + (isFinished ? "\n" : "")
        let peer = try await FakePeer(path: path, hello: line) { _, _ in "" }
        #expect(await connect(limits: QMPLimits(lineLength: 65536)) == .lineTooLong(socket: path, limit: 65536))
        try await peer.close()
    }

    @Test func closingDuringACommandNamesTheCommand() async throws {
        let peer = try await FakePeer(path: path, hello: FakePeer.greeting) { _, _ in nil }
        #expect(await connect() == .closed(socket: path, during: "qmp_capabilities"))
        try await peer.close()
    }

    @Test func unansweredCommandTimesOutAndItsLateAnswerIsNoGarbage() async throws {
        let peer = try await FakePeer(path: path, hello: FakePeer.greeting) { command, id in
            switch command {
            case "late": ""
            case "both": Self.ok(id - 1) + Self.ok(id)
            default: Self.ok(id)
            }
        }
        let client = try await QMPClient.connect(socketPath: path, group: group)
        await #expect(throws: QMPError.timeout(socket: path, command: "late", seconds: 0.05)) {
            try await client.execute("late", timeout: .milliseconds(50))
        }
        #expect(try await client.execute("both") == .object([:]))
        await client.close()
        try await peer.close()
    }

    @Test func outstandingCommandsAreBoundedAlsoWhenTheirCallersGaveUp() async throws {
        let peer = try await FakePeer(path: path, hello: FakePeer.greeting) { command, id in
            command == "qmp_capabilities" ? Self.ok(id) : ""
        }
        let client = try await QMPClient.connect(
            socketPath: path, group: group, limits: QMPLimits(outstandingCommands: 2))
        for _ in 0..<2 {
            await #expect(throws: QMPError.timeout(socket: path, command: "x", seconds: 0.01)) {
                try await client.execute("x", timeout: .milliseconds(10))
            }
        }
        await #expect(throws: QMPError.tooManyOutstanding(socket: path, limit: 2)) { try await client.execute("x") }
        await client.close()
        try await peer.close()
    }

    @Test func errorsAndEventsArrive() async throws {
        let peer = try await FakePeer(path: path, hello: FakePeer.greeting) { command, id in
            if command == "qmp_capabilities" { return Self.ok(id) }
            return #"{"event": "STOP", "timestamp": {}}"# + "\n"
                + #"{"error": {"class": "GenericError", "desc": "no such thing"}, "id": \#(id)}"# + "\n"
        }
        let client = try await QMPClient.connect(socketPath: path, group: group)
        await #expect(throws: QMPError.self) { try await client.execute("x") }
        var events = client.events.makeAsyncIterator()
        #expect(await events.next() == QMPEvent(name: "STOP", data: .null))
        await client.close()
        #expect(await events.next() == nil)
        await #expect(throws: QMPError.closed(socket: path, during: nil)) { try await client.execute("x") }
        try await peer.close()
    }

    @Test func lineDecoderTakesBytesOneByOne() throws {
        var decoder = QMPLineDecoder(limit: 4)
        var buffer = ByteBuffer()
        var lines: [String] = []
        for byte in "ab\n\nabcd\n".utf8 {
            buffer.writeInteger(byte)
            if let line = try decoder.decode(buffer: &buffer) { lines.append(String(buffer: line)) }
        }
        #expect(lines == ["ab", "", "abcd"])
        buffer.writeString("abcde")
        #expect(throws: QMPLineDecoder.LineTooLong.self) { try decoder.decode(buffer: &buffer) }
    }
}
