import NIOCore
import NIOPosix
import USBCore
import USBIPCodec

/// A USB/IP client made of our codec: imports a device, sets its configuration and keeps bulk IN URBs in flight.
///
/// Confined to its channel's loop.
final class Importer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// URBs that have ended with all the data that was asked for.
    private(set) var completed = 0
    private(set) var failure: BenchmarkError?

    private let busID: BusID
    private let blockSize: Int
    private let depth: Int
    private let isReady: EventLoopPromise<Void>
    private var decoder = URBReplyDecoder()
    private var inbound = ByteBuffer()
    private var deviceID: UInt32?
    private var nextNumber: UInt32 = 1
    private var isLoaded = false

    /// - Parameter isReady: succeeds when the device is configured, and fails when it cannot be had.
    init(busID: BusID, blockSize: Int, depth: Int, isReady: EventLoopPromise<Void>) {
        self.busID = busID
        self.blockSize = blockSize
        self.depth = depth
        self.isReady = isReady
    }

    func channelActive(context: ChannelHandlerContext) {
        var request = ByteBuffer()
        OperationRequest.importDevice(busID).write(to: &request)
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    /// Puts the URBs in flight.
    func start(on channel: any Channel) {
        isLoaded = true
        var requests = ByteBuffer()
        for _ in 0..<depth { ask(&requests) }
        channel.writeAndFlush(requests, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        inbound.writeBuffer(&bytes)
        do {
            try read(context)
        } catch {
            fail("\(error)", context)
        }
        inbound.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the exporter closed the connection", context)
    }

    private func read(_ context: ChannelHandlerContext) throws {
        if deviceID == nil {
            switch try OperationReply.read(from: &inbound) {
            case .imported(let record)?:
                deviceID = record.deviceID
                var request = ByteBuffer()
                SubmitCommand.control(
                    take(), deviceID: record.deviceID,
                    SetupPacket(
                        requestType: RequestType(.out, .standard, .device),
                        request: StandardRequest.setConfiguration.rawValue, value: 1)
                ).write(to: &request)
                context.writeAndFlush(wrapOutboundOut(request), promise: nil)
            case nil: return
            default: return fail("the import was refused", context)
            }
        }
        var requests = ByteBuffer()
        while let reply = try decoder.next(from: &inbound, awaited: { $0 == 1 ? configuring : asked }) {
            guard case .submit(let ended, _, _) = reply, ended.status == .success else {
                return fail("a URB failed", context)
            }
            if isLoaded {
                completed += 1
                ask(&requests)
            } else {
                isReady.succeed()
            }
        }
        if requests.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(requests), promise: nil) }
    }

    private var configuring: AwaitedURB { AwaitedURB(direction: .out, length: 0) }
    private var asked: AwaitedURB { AwaitedURB(direction: .in, length: blockSize) }

    private func ask(_ requests: inout ByteBuffer) {
        SubmitCommand(
            sequenceNumber: take(), deviceID: deviceID ?? 0, direction: .in, endpoint: LoopFunction.inAddress & 15,
            length: Int32(blockSize)
        ).write(to: &requests)
    }

    private func take() -> UInt32 {
        defer { nextNumber &+= 1 }
        return nextNumber
    }

    private func fail(_ reason: String, _ context: ChannelHandlerContext) {
        if failure == nil { failure = .environment("importer of \(busID): \(reason)") }
        isReady.fail(failure ?? .environment(reason))
        context.close(promise: nil)
    }
}
