import NIOCore
import NIOPosix
import Synchronization
import Testing
import USBCore
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(1)))
struct USBCharTests {
    private func bench(to text: String) async throws -> Bench {
        let service = try ByteService(name: "pipe", parsing: text)
        let bench = try await Bench { USBCharFunction(service: service, eventLoop: $0) }
        try await bench.run { $0.guest.configure() }
        return bench
    }

    /// A transfer's completion, when it comes.
    private final class Answers: Sendable {
        private let store = Mutex<[TransferCompletion]>([])
        var all: [TransferCompletion] { store.withLock { $0 } }
        var bytes: [UInt8] { all.flatMap(\.data) }

        func take(_ guest: Guest, transfers: Int = 1) {
            for _ in 0..<transfers {
                guest.submit({ .in($0, 1, length: 4096) }) { done in self.store.withLock { $0.append(done) } }
            }
        }

        func send(_ guest: Guest, _ bytes: [UInt8]) {
            guest.submit({ .out($0, 2, data: bytes) }) { done in self.store.withLock { $0.append(done) } }
        }
    }

    private static func isNote(_ text: String) -> @Sendable (DeviceChange) -> Bool {
        { if case .note("pipe", let found) = $0 { found.hasPrefix(text) } else { false } }
    }

    @Test func isTheDeviceOfTheFirstSystem() async throws {
        let server = try await EchoServer(on: MultiThreadedEventLoopGroup.singleton)
        let bench = try await bench(to: server.text)
        try await bench.run { state in
            let interface = try #require(state.guest.configuration?.interfaces.first)
            #expect(
                [interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol] == [255, 255, 255])
            #expect(interface.endpoints.map(\.address.rawValue) == [0x81, 0x02])
            #expect(interface.endpoints.allSatisfy { $0.type == .bulk })
        }
        let (sent, got) = (Answers(), Answers())
        let text = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        try await bench.run { state in
            got.take(state.guest, transfers: 1000)
            for start in stride(from: 0, to: text.count, by: 10_000) {
                sent.send(state.guest, Array(text[start..<start + 10_000]))
            }
        }
        try await bench.until("all echoed") { _ in got.bytes.count >= text.count }
        #expect(got.bytes == text)
        #expect(sent.all.allSatisfy { $0.status == .success })
        try await bench.end()
        try await server.stop()
    }

    /// What the server said before it went arrives, then both endpoints stall; clearing one brings the next connection.
    @Test func aLostConnectionStallsAndComesBack() async throws {
        let count = Mutex(0)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let number = count.withLock { value in
                    value += 1
                    return value
                }
                channel.writeAndFlush(ByteBuffer(string: "answer \(number)")).whenComplete { _ in
                    channel.close(promise: nil)
                }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let bench = try await bench(to: "127.0.0.1:\(server.localAddress?.port ?? 0)")
        try await bench.change("ended", where: Self.isNote("connection ended"))
        #expect(count.withLock { $0 } == 1)
        for round in 1...3 {
            let (got, after) = (Answers(), Answers())
            try await bench.run { got.take($0.guest) }
            try await bench.until("answer \(round)") { _ in got.all.count == 1 }
            #expect(got.bytes == Array("answer \(round)".utf8))
            try await bench.run { state in
                after.take(state.guest)
                after.send(state.guest, [1])
                #expect(after.all.map(\.status) == [.stall, .stall])
                #expect(state.guest.control(0x02, 1, index: 0x81)?.status == .success)
                #expect(state.guest.control(0x02, 1, index: 0x02)?.status == .success)
            }
            try await bench.change("ended", where: Self.isNote("connection ended"))
            #expect(count.withLock { $0 } == round + 1, "one for each")
        }
        try await bench.end()
        try await server.close()
    }

    /// Nobody answers: the guest waits, the operator is told, and it works as soon as somebody does.
    @Test func waitsForAServer() async throws {
        let early = try await EchoServer(on: MultiThreadedEventLoopGroup.singleton)
        let port = early.port
        try await early.stop()
        let bench = try await bench(to: "127.0.0.1:\(port)")
        try await bench.change("trouble") {
            if case .trouble("pipe", let text?) = $0 { text.hasPrefix("127.0.0.1:\(port): ") } else { false }
        }
        let (sent, got) = (Answers(), Answers())
        try await bench.run { state in
            sent.send(state.guest, [7, 8, 9])
            got.take(state.guest)
            #expect(sent.all.isEmpty && got.all.isEmpty)
        }
        let server = try await EchoServer(on: MultiThreadedEventLoopGroup.singleton, port: port)
        try await bench.change("no trouble") { $0 == .trouble(interface: "pipe", nil) }
        try await bench.until("an echo") { _ in got.bytes == [7, 8, 9] }
        // A guest that lets go ends the connection, and has another when it comes back.
        try await bench.run { $0.guest.configure(0) }
        try await bench.run { $0.guest.configure() }
        try await bench.change("connected", where: Self.isNote("connected"))
        try await bench.end()
        try await server.stop()
    }
}
