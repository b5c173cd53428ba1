import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import GuestClientKit

@Suite struct BulkPumpTests {
    /// A pump between two socket pairs: `near` is the HTTP/2 side, `far` the device's.
    private final class Rig: @unchecked Sendable {
        let near: Int32
        let far: Int32
        let device: FakeBulkDevice
        let stop: StopSignal
        private let inner: Int32
        private let pool = NIOThreadPool(numberOfThreads: 1)

        init() throws {
            var first: [Int32] = [-1, -1]
            var second: [Int32] = [-1, -1]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &first) == 0)
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &second) == 0)
            (near, inner) = (first[0], first[1])
            far = second[1]
            device = FakeBulkDevice(far: second[0])
            stop = try StopSignal()
        }

        func run() async throws -> PipeEnd {
            pool.start()
            let end = try await pool.runIfActive {
                let layout = BulkPump.Layout(
                    inEndpoint: 0x81, outEndpoint: 0x02, outPacketSize: 512, inSize: 65536, outSize: 65536)
                var pump = BulkPump(device: self.device, layout: layout, socket: self.inner, stop: self.stop.descriptor)
                return pump.run()
            }
            try await pool.shutdownGracefully()
            device.unplug()
            return end
        }

        deinit { [near, inner, far].forEach { close($0) } }
    }

    @Test func stopsOnTheSignal() async throws {
        let rig = try Rig()
        rig.stop.stop()
        #expect(try await rig.run() == .stopped)
    }

    @Test func endsWhenTheClientCloses() async throws {
        let rig = try Rig()
        shutdown(rig.near, Int32(SHUT_RDWR))
        #expect(try await rig.run() == .clientClosed)
    }

    @Test func tellsAnUnplugFromAStall() async throws {
        let gone = try Rig()
        gone.device.unplug()
        #expect(try await gone.run() == .deviceGone)
        let stalled = try Rig()
        stalled.device.injectCompletion(slot: 0, code: EPIPE)
        #expect(try await stalled.run() == .failed("endpoint 0x81: the device ended the session (stall)"))
    }

    @Test func refusedMemoryNamesTheParameter() async throws {
        let rig = try Rig()
        rig.device.failNextSubmit(ENOMEM)
        guard case .failed(let reason) = try await rig.run() else {
            Issue.record("the pump went on")
            return
        }
        #expect(reason.contains("usbfs_memory_mb"))
    }

    @Test func wholePacketsEndWithAZeroLengthOne() async throws {
        let rig = try Rig()
        let bytes = [UInt8](repeating: 7, count: 1024)
        #expect(send(rig.near, bytes, 1024, 0) == 1024)
        async let end = rig.run()
        var buffer = [UInt8](repeating: 0, count: 1024)
        #expect(recv(rig.far, &buffer, 1024, Int32(MSG_WAITALL)) == 1024)
        #expect(buffer == bytes)
        rig.stop.stop()
        #expect(try await end == .stopped)
        #expect(rig.device.zeroPackets == 1)
    }
}
