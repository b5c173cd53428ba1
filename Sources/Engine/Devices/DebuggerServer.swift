import FirmwareEmulator
import NIOCore
import NIOPosix

/// Lets one GDB at a time into an emulated device, over TCP on this machine only: whoever debugs owns the firmware.
public struct DebuggerServer: Sendable {
    private let channel: any Channel
    /// Where it listens.
    public var port: Int { channel.localAddress?.port ?? 0 }

    /// - Parameters:
    ///   - port: 0 lets the system choose.
    ///   - eventLoop: that of the device.
    public static func listen(
        _ device: NIOLoopBound<EmulatedDevice>, port: Int, on eventLoop: any EventLoop
    ) async throws -> DebuggerServer {
        let seat = try await eventLoop.submit { NIOLoopBound(DebuggerSeat(), eventLoop: eventLoop) }.get()
        let channel = try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard seat.value.take() else {
                        channel.close(promise: nil)
                        return
                    }
                    try channel.pipeline.syncOperations.addHandler(DebuggerHandler(device.value, seat: seat.value))
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .bind(host: "127.0.0.1", port: port).get()
        return DebuggerServer(channel: channel)
    }

    public func close() async {
        // Closing what is closed already is the wanted state.
        try? await channel.close()
    }
}

/// Whether a debugger is there.
private final class DebuggerSeat {
    private var isTaken = false

    func take() -> Bool {
        guard !isTaken else { return false }
        isTaken = true
        return true
    }

    func leave() { isTaken = false }
}

/// One debugger's connection.
private final class DebuggerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let device: EmulatedDevice
    private let seat: DebuggerSeat

    init(_ device: EmulatedDevice, seat: DebuggerSeat) {
        self.device = device
        self.seat = seat
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        device.attachDebugger { bytes in channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        device.receive(fromDebugger: Array(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        device.detachDebugger()
        seat.leave()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
