import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing
import USBClasses
import USBCore
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(2)))
struct PrinterTests {
    /// A spool folder, gone at the end.
    private final class Folder: Sendable {
        let path: String

        init() throws {
            let url = FileManager.default.temporaryDirectory.appending(path: "2v-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            path = url.path
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Names, hidden ones too, in order.
        var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

        func contents(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(name)")))
        }
    }

    private func bench(_ target: PrinterTarget, idle: TimeAmount) async throws -> Bench {
        let bench = try await Bench { loop in
            let backend: any PrinterBackend =
                switch target {
                case .spool(let folder): try SpoolBackend(folder: folder, name: "lp", eventLoop: loop)
                case .tcp(let host, let port): RawPortBackend(host: host, port: port, eventLoop: loop)
                }
            return PrinterFunction(name: "lp", backend: backend, eventLoop: loop, idleTime: idle)
        }
        try await bench.run { $0.guest.configure() }
        return bench
    }

    /// What a guest prints: transfers of 16 KiB, eight in flight, each next one as soon as one is taken.
    private func print(_ job: [UInt8], on bench: Bench) async throws {
        let left = Mutex((job.count + 16383) / 16384)
        let next = Mutex(0)
        try await bench.run { state in
            let number = state.guest.number(.bulk, .out)
            func submit() {
                let start = next.withLock { value in
                    defer { value += 16384 }
                    return value
                }
                guard start < job.count else { return }
                let bytes = Array(job[start..<min(start + 16384, job.count)])
                state.guest.submit({ .out($0, number, data: bytes) }) { completion in
                    #expect(completion.status == .success)
                    left.withLock { $0 -= 1 }
                    submit()
                }
            }
            for _ in 0..<8 { submit() }
        }
        try await bench.until("all taken") { _ in left.withLock { $0 } == 0 }
    }

    private static func job(_ count: Int, seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8 ^ seed) }
    }

    private static func isPrinted(_ change: DeviceChange) -> Bool {
        if case .note("lp", let text) = change { text.hasPrefix("printed to ") } else { false }
    }

    @Test func isABidirectionalPrinter() async throws {
        let folder = try Folder()
        let bench = try await bench(.spool(folder: folder.path), idle: .seconds(60))
        try await bench.run { state in
            let interface = try #require(state.guest.configuration?.interfaces.first)
            #expect([interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol] == [7, 1, 2])
            let id = try #require(state.guest.control(0xA1, 0, length: 1023)?.data)
            #expect(Int(id[0]) << 8 | Int(id[1]) == id.count)
            #expect(
                String(decoding: id[2...], as: UTF8.self)
                    == "MFG:2Virt;MDL:Printer lp;CMD:RAW;CLS:PRINTER;SN:lp;")
            #expect(state.guest.control(0xA1, 1, length: 1)?.data == [0x18])
            #expect(state.guest.control(0x21, 2)?.status == .success)
            #expect(state.guest.control(0x21, 3)?.status == .stall)
        }
        try await bench.end()
        #expect(folder.files.isEmpty)
    }

    @Test func aJobIsOneWholeFile() async throws {
        let folder = try Folder()
        let bench = try await bench(.spool(folder: folder.path), idle: .milliseconds(500))
        let job = Self.job(3_000_001, seed: 1)
        try await print(job, on: bench)
        try await bench.change("printed", where: Self.isPrinted)
        #expect(folder.files.count == 1)
        let name = try #require(folder.files.first)
        #expect(name.hasPrefix("lp-") && name.hasSuffix(".prn"))
        #expect(try folder.contents(name) == job)
        try await bench.end()
        #expect(folder.files == [name])
    }

    @Test func resetAndUnplugEndJobs() async throws {
        let folder = try Folder()
        let bench = try await bench(.spool(folder: folder.path), idle: .seconds(60))
        let jobs = (0..<3).map { Self.job(1000 + $0, seed: $0) }
        try await print(jobs[0], on: bench)
        try await bench.run { #expect($0.guest.control(0x21, 2)?.status == .success) }
        try await bench.change("first", where: Self.isPrinted)
        try await print(jobs[1], on: bench)
        try await bench.run { $0.guest.configure(0) }
        try await bench.change("second", where: Self.isPrinted)
        try await bench.run { $0.guest.configure() }
        try await print(jobs[2], on: bench)
        try await bench.end()
        #expect(folder.files.count == 3 && !folder.files.contains { $0.hasPrefix(".") })
        #expect(Set(try folder.files.map { try folder.contents($0) }) == Set(jobs))
    }

    @Test func aRawPortGetsAConnectionForEachJob() async throws {
        let received = Mutex<[[UInt8]]>([])
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        JobCollector { bytes in received.withLock { $0.append(bytes) } })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let bench = try await bench(.tcp(host: "127.0.0.1", port: port), idle: .milliseconds(300))
        let jobs = [Self.job(2_000_003, seed: 1), Self.job(10, seed: 2)]
        for (index, job) in jobs.enumerated() {
            try await print(job, on: bench)
            try await bench.change("job \(index)", where: Self.isPrinted)
        }
        #expect(received.withLock { $0 } == jobs)
        try await bench.end()
        try await server.close()
    }

    @Test func theGuestWaitsWhileNobodyAnswers() async throws {
        let port = try SocketClient.freePort()
        let bench = try await bench(.tcp(host: "127.0.0.1", port: port), idle: .seconds(60))
        try await bench.run { state in
            let number = state.guest.number(.bulk, .out)
            state.guest.submit({ .out($0, number, data: [1]) }) { #expect($0.status != .success) }
        }
        try await bench.change("trouble") {
            if case .trouble("lp", let text?) = $0 { text.hasPrefix("tcp:127.0.0.1:\(port): ") } else { false }
        }
        try await bench.run { state in
            #expect(state.guest.port.pendingCount == 1)
            #expect(state.guest.control(0xA1, 1, length: 1)?.data == [0x10])
        }
        try await bench.end()
    }

    @Test func readsTargets() throws {
        #expect(try PrinterTarget(parsing: "spool:/var/spool/x") == .spool(folder: "/var/spool/x"))
        #expect(try PrinterTarget(parsing: "tcp:lp.lan:9100") == .tcp(host: "lp.lan", port: 9100))
        for text in ["", "spool:x", "tcp:lp", "ipp://x"] {
            let error = #expect(throws: CatalogueError.self) { try PrinterTarget(parsing: text) }
            #expect(error.map { "\($0)" }?.hasSuffix("allowed: spool:/folder, tcp:HOST:PORT") == true)
        }
    }
}

/// Gathers what one connection brings, and hangs up when it ends.
private final class JobCollector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var bytes: [UInt8] = []
    private let done: @Sendable ([UInt8]) -> Void

    init(_ done: @escaping @Sendable ([UInt8]) -> Void) { self.done = done }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += Array(unwrapInboundIn(data).readableBytesView)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            done(bytes)
            context.close(promise: nil)
        }
    }
}
