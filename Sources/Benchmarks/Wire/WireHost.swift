import CWireBench
import Foundation
import NIOCore

/// One of the hosts that are compared: it has a device, the measuring guest uses it.
enum WireHost: String, CaseIterable {
    case ours = "2Virt"
    case batchedFloor = "batched C floor"
    case floor = "C floor"

    func measure(
        _ test: WireCase, seconds: Double, directory: String, loop: any EventLoop
    ) async throws -> WireSample {
        switch self {
        case .ours:
            let path = directory + "/wire.sock"
            let server = try await DeviceServer.start(at: path, blockSize: Int(test.size), on: loop)
            var sample: WireSample
            do {
                let before = try await loop.submit(threadCPU).get()
                sample = try await onThread { try Self.guest(test, seconds, self) { cwb_connect(path, &$0) } }
                sample.hostCPU = try await loop.submit(threadCPU).get() - before
            } catch {
                try await server.stop()
                throw error
            }
            try await server.stop()
            return sample
        case .batchedFloor, .floor:
            var guest: Int32 = -1
            var host: Int32 = -1
            let code = cwb_pair(&guest, &host)
            guard code == 0 else { throw BenchmarkError.link(host: rawValue, test: test.name, errno: code) }
            let (guestEnd, hostEnd) = (guest, host)
            async let served = onThread {
                defer { close(hostEnd) }
                return (cwb_serve(hostEnd, self == .batchedFloor ? 1 : 0), threadCPU())
            }
            var sample = try await onThread {
                try Self.guest(test, seconds, self) {
                    $0 = guestEnd
                    return 0
                }
            }
            let (end, time) = try await served
            guard end == 0 else { throw BenchmarkError.link(host: rawValue, test: test.name, errno: end) }
            sample.hostCPU = time
            return sample
        }
    }

    /// The measuring end; closes the link.
    private static func guest(
        _ test: WireCase, _ seconds: Double, _ host: WireHost, connect: (inout Int32) -> Int32
    ) throws -> WireSample {
        func check(_ code: Int32) throws {
            guard code == 0 else { throw BenchmarkError.link(host: host.rawValue, test: test.name, errno: code) }
        }
        let nanoseconds = UInt64(seconds * 1e9)
        var link: Int32 = -1
        try check(connect(&link))
        defer { close(link) }
        try check(cwb_open(link))
        switch test.kind {
        case .throughput(let depth):
            var transfers: UInt64 = 0
            var elapsed: UInt64 = 0
            try check(cwb_load(link, test.endpoint, test.size, depth, nanoseconds, &transfers, &elapsed))
            return WireSample(transfers: transfers, elapsed: elapsed)
        case .roundTrip:
            var trips = [UInt32](repeating: 0, count: 1 << 20)
            var count = 0
            try check(
                cwb_round_trips(link, test.endpoint, test.size, nanoseconds, &trips, trips.count, &count))
            return WireSample(trips: trips.prefix(count))
        }
    }
}
