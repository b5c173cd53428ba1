import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix

@testable import GuestClientKit

/// A device that is an HTTP/2 server in this process, reached through the real pump.
final class FakeTransport: PipeTransport {
    private let group: any EventLoopGroup
    private let state = NIOLockedValueBox((isPlugged: true, device: FakeBulkDevice?.none, opened: 0))
    private let changed: NIOLockedValueBox<StopSignal>

    private let isByteService: Bool

    init(group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, isByteService: Bool = false) throws {
        self.group = group
        self.isByteService = isByteService
        changed = NIOLockedValueBox(try StopSignal())
    }

    var opened: Int { state.withLockedValue { $0.opened } }

    func unplug() {
        let device = state.withLockedValue { state in
            state.isPlugged = false
            defer { state.device = nil }
            return state.device
        }
        device?.unplug()
    }

    func plug() {
        state.withLockedValue { $0.isPlugged = true }
        changed.withLockedValue { $0 }.stop()
    }

    func open() throws(GuestError) -> any PipeSession {
        guard state.withLockedValue({ $0.isPlugged }) else { throw .noSuchDevice("the fake device is unplugged") }
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw .failed("socketpair") }
        let device = FakeBulkDevice(far: ends[0])
        state.withLockedValue {
            $0.device = device
            $0.opened += 1
        }
        let isByteService = isByteService
        ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.configureHTTP2Pipeline(
                    mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()
                ) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        if isByteService {
                            try stream.pipeline.syncOperations.addHandler(TestByteService())
                            return
                        }
                        try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                        try stream.pipeline.syncOperations.addHandler(TestService())
                    }
                }.map { _ in }
            }
            .withConnectedSocket(ends[1])
            .whenFailure { _ in device.unplug() }
        return FakeSession(device: device, isByteService: isByteService)
    }

    func waitForChange(milliseconds: Int32?, stop: StopSignal) {
        let signal = changed.withLockedValue { $0 }
        var entries = [
            pollfd(fd: signal.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        poll(&entries, 2, milliseconds ?? -1)
        if entries[0].revents != 0, let fresh = try? StopSignal() { changed.withLockedValue { $0 = fresh } }
    }
}

private struct FakeSession: PipeSession {
    let device: FakeBulkDevice
    var title: String { "fake" }
    var service: PipeService { PipeService(name: "web", isByteService: isByteService) }
    let isByteService: Bool

    func run(socket: Int32, stop: StopSignal, notified: (([UInt8]) -> Void)?) -> PipeEnd {
        let layout = BulkPump.Layout(
            inEndpoint: 0x81, outEndpoint: 0x02, outPacketSize: 512, inSize: FakeBulkDevice.transferSize,
            outSize: FakeBulkDevice.transferSize)
        var pump = BulkPump(device: device, layout: layout, socket: socket, stop: stop.descriptor)
        let end = pump.run()
        device.unplug()
        return end
    }
}
