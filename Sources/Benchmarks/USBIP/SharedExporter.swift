import CWireBench
import Foundation
import NIOCore
import NIOPosix
import USBIPCodec

/// What importers do to each other.
struct SharedExporter {
    let importers: Int
    let seconds: Double

    static let blockSize = 512
    static let depth = 8

    /// Transfers of the slowest of many importers beside those of the mean one, all at once.
    func fairness(_ group: MultiThreadedEventLoopGroup) async throws -> (slowest: Double, mean: Double) {
        let server = try await ExportServer.start(devices: importers, blockSize: Self.blockSize, on: group)
        let clients = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let counts = try await completions(server, clients)
            try await clients.shutdownGracefully()
            try await server.stop()
            let mean = Double(counts.reduce(0, +)) / Double(counts.count)
            return (Double(counts.min() ?? 0) / seconds, mean / seconds)
        } catch {
            // What ended the run is worth more than what its cleaning up would say.
            try? await clients.shutdownGracefully()
            try? await server.stop()
            throw error
        }
    }

    private func completions(_ server: ExportServer, _ clients: MultiThreadedEventLoopGroup) async throws -> [Int] {
        var all: [(channel: any Channel, importer: NIOLoopBound<Importer>)] = []
        for name in server.busIDs {
            guard let busID = BusID(name) else { throw BenchmarkError.environment("no bus id: \(name)") }
            let loop = clients.next()
            let isReady = loop.makePromise(of: Void.self)
            let importer = try await loop.submit {
                NIOLoopBound(
                    Importer(busID: busID, blockSize: Self.blockSize, depth: Self.depth, isReady: isReady),
                    eventLoop: loop)
            }.get()
            let channel = try await ClientBootstrap(group: loop).channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(importer.value)
                    }
                }
                .connect(host: "127.0.0.1", port: Int(server.port)).get()
            try await isReady.futureResult.get()
            all.append((channel, importer))
        }
        let loop = clients.next()
        let bound = all
        try await loop.submit { for (channel, importer) in bound { importer.value.start(on: channel) } }.get()
        try await Task.sleep(for: .seconds(seconds))
        let counts = try await loop.submit {
            try bound.map { _, importer in
                if let failure = importer.value.failure { throw failure }
                return importer.value.completed
            }
        }.get()
        for (channel, _) in all { try await channel.close() }
        return counts
    }

    /// What an importer that reads nothing costs: memory, and transfers of its neighbour on the same loop.
    struct SlowImporter {
        /// The most that the process grew by when one came.
        var bytes = 0
        /// The neighbour's transfers a second beside it and without it, in turn.
        var beside: [Double] = []
        var alone: [Double] = []
    }

    /// Short rounds in turn, enough of them for a median: what else the machine does hits both alike.
    func slowImporter(_ group: MultiThreadedEventLoopGroup) async throws -> SlowImporter {
        let server = try await ExportServer.start(devices: 2, blockSize: 16 << 10, on: group)
        do {
            let (port, busIDs, seconds) = (server.port, server.busIDs, seconds / Double(Self.slowRounds))
            var found = SlowImporter()
            for _ in 0..<Self.slowRounds {
                try Task.checkCancellation()
                found.alone.append(try await onThread { try Self.load(port, busIDs[0], seconds) })
                let before = try Self.residentBytes()
                let slow = try await onThread { try Self.flood(port, busIDs[1], seconds) }
                defer { close(slow) }
                found.bytes = max(found.bytes, try Self.residentBytes() - before)
                found.beside.append(try await onThread { try Self.load(port, busIDs[0], seconds) })
            }
            try await server.stop()
            return found
        } catch {
            try? await server.stop()
            throw error
        }
    }

    private static let slowRounds = 9

    /// Imports a device. The exporter may not have seen yet that the importer of the round before has left.
    private static func importDevice(_ port: UInt16, _ busID: String) throws -> (link: Int32, device: UInt32) {
        var (link, device) = (Int32(-1), UInt32(0))
        let deadline = ContinuousClock.now + .seconds(10)
        var code = cwb_usbip_import(port, busID, &link, &device)
        while code == EBUSY, ContinuousClock.now < deadline {
            usleep(1000)
            code = cwb_usbip_import(port, busID, &link, &device)
        }
        try check(code)
        return (link, device)
    }

    private static func load(_ port: UInt16, _ busID: String, _ seconds: Double) throws -> Double {
        let (link, device) = try importDevice(port, busID)
        var (transfers, elapsed) = (UInt64(0), UInt64(0))
        defer { close(link) }
        try check(
            cwb_usbip_load(
                link, device, LoopFunction.inAddress, 16 << 10, 16, UInt64(seconds * 1e9), &transfers, &elapsed))
        return Double(transfers) / max(1e-9, Double(elapsed) / 1e9)
    }

    /// The importer's socket, full both ways.
    private static func flood(_ port: UInt16, _ busID: String, _ seconds: Double) throws -> Int32 {
        let (link, device) = try importDevice(port, busID)
        var sent: UInt64 = 0
        let code = cwb_usbip_flood(link, device, LoopFunction.inAddress, 16 << 10, UInt64(seconds * 1e9), &sent)
        guard code == 0 else {
            close(link)
            throw BenchmarkError.link(host: WireHost.ours.rawValue, test: "slow-importer", errno: code)
        }
        return link
    }

    private static func check(_ code: Int32) throws {
        guard code == 0 else {
            throw BenchmarkError.link(host: WireHost.ours.rawValue, test: "slow-importer", errno: code)
        }
    }

    /// Resident memory of this process (proc(5), statm).
    private static func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .ascii).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else {
            throw BenchmarkError.environment("/proc/self/statm has no resident size")
        }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
