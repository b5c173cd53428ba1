import CWireBench
import Foundation
import NIOPosix

extension WireHost {
    /// One measurement over TCP with a USB/IP exporter, the importer in C: a load generator in Swift would be what limits
    /// a fast exporter.
    func measureUSBIP(
        _ test: WireCase, seconds: Double, group: MultiThreadedEventLoopGroup
    ) async throws -> WireSample {
        switch self {
        case .ours:
            let server = try await ExportServer.start(devices: 1, blockSize: Int(test.size), on: group)
            var sample: WireSample
            do {
                let (port, busID) = (server.port, server.busIDs[0])
                // The group has the one thread.
                let before = try await group.any().submit(threadCPU).get()
                sample = try await onThread { try importer(test, seconds, port: port, busID: busID) }
                sample.hostCPU = try await group.any().submit(threadCPU).get() - before
            } catch {
                try await server.stop()
                throw error
            }
            try await server.stop()
            return sample
        case .batchedFloor, .floor:
            var (port, listener) = (UInt16(0), Int32(-1))
            try check(cwb_usbip_listen(&port, &listener), test)
            let (number, socket) = (port, listener)
            defer { close(socket) }
            async let served = onThread { (cwb_usbip_serve(socket, self == .batchedFloor ? 1 : 0), threadCPU()) }
            var sample: WireSample
            do {
                sample = try await onThread { try importer(test, seconds, port: number, busID: "1-1") }
            } catch {
                // Ends the floor's wait for a connection.
                shutdown(socket, Int32(SHUT_RDWR))
                _ = try await served
                throw error
            }
            let (end, time) = try await served
            try check(end, test)
            sample.hostCPU = time
            return sample
        }
    }

    private func check(_ code: Int32, _ test: WireCase) throws {
        guard code == 0 else { throw BenchmarkError.link(host: rawValue, test: test.name, errno: code) }
    }

    /// The measuring end.
    private func importer(_ test: WireCase, _ seconds: Double, port: UInt16, busID: String) throws -> WireSample {
        let nanoseconds = UInt64(seconds * 1e9)
        var (link, device) = (Int32(-1), UInt32(0))
        try check(cwb_usbip_import(port, busID, &link, &device), test)
        defer { close(link) }
        switch test.kind {
        case .throughput(let depth):
            var (transfers, elapsed) = (UInt64(0), UInt64(0))
            try check(
                cwb_usbip_load(link, device, test.endpoint, test.size, depth, nanoseconds, &transfers, &elapsed), test)
            return WireSample(transfers: transfers, elapsed: elapsed)
        case .roundTrip:
            var trips = [UInt32](repeating: 0, count: 1 << 20)
            var count = 0
            try check(
                cwb_usbip_round_trips(
                    link, device, test.endpoint, test.size, nanoseconds, &trips, trips.count, &count), test)
            return WireSample(trips: trips.prefix(count))
        }
    }
}
