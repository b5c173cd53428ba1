import NIOCore
import NIOPosix
import Synchronization
import USBCore
import USBIPCodec

/// A USB/IP client made from the codec: imports a device, and configures it as a guest's kernel would.
final class FakeImporter: Sendable {
    /// The exporter's answer was no.
    struct Refused: Error, Equatable {
        let status: OperationStatus
    }

    private let channel: any Channel
    let localAddress: String

    private init(_ channel: any Channel) {
        self.channel = channel
        localAddress = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    var isOpen: Bool { channel.isActive }

    /// - Parameter configures: sets configuration 1 at once.
    static func take(_ busID: String, port: Int, configures: Bool = true) async throws -> FakeImporter {
        let taken = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Void.self)
        let channel = try await bootstrap(port) { Handler(busID, configures, taken) }
        try await taken.futureResult.get()
        return FakeImporter(channel)
    }

    /// Bus ids that the exporter offers.
    static func list(port: Int) async throws -> [String] {
        let listed = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: [String].self)
        let channel = try await bootstrap(port) { Lister(listed) }
        let list = try await listed.futureResult.get()
        // The exporter closes it, too.
        try? await channel.close()
        return list
    }

    func close() async {
        // Closing what is closed already is the wanted state.
        try? await channel.close()
    }

    func setConfiguration(_ value: UInt8) async throws { try await channel.triggerUserOutboundEvent(value).get() }

    private static func bootstrap<Made: ChannelHandler>(
        _ port: Int, _ make: @escaping @Sendable () -> Made
    ) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(make()) }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    private final class Handler: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let busID: String
        let configures: Bool
        let taken: EventLoopPromise<Void>
        var bytes = ByteBuffer()
        var deviceID: UInt32?
        var sequence: UInt32 = 1000

        init(_ busID: String, _ configures: Bool, _ taken: EventLoopPromise<Void>) {
            self.busID = busID
            self.configures = configures
            self.taken = taken
        }

        func channelActive(context: ChannelHandlerContext) {
            var request = ByteBuffer()
            guard let id = BusID(busID) else { return context.close(promise: nil) }
            OperationRequest.importDevice(id).write(to: &request)
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var new = unwrapInboundIn(data)
            bytes.writeBuffer(&new)
            guard deviceID == nil else { return }
            do {
                switch try OperationReply.read(from: &bytes) {
                case nil: return
                case .imported(let record):
                    deviceID = UInt32(record.busNumber) << 16 | UInt32(record.deviceNumber)
                    send(
                        SetupPacket(requestType: RequestType(rawValue: 0x80), request: 6, value: 0x100, length: 18),
                        context)
                    if configures { send(.configuration(1), context) }
                    taken.succeed()
                case .refused(_, let status):
                    taken.fail(Refused(status: status))
                    context.close(promise: nil)
                case .devices: context.close(promise: nil)
                }
            } catch {
                taken.fail(error)
                context.close(promise: nil)
            }
        }

        func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
            if let value = event as? UInt8 { send(.configuration(value), context) }
            promise?.succeed()
        }

        func channelInactive(context: ChannelHandlerContext) { taken.fail(ChannelError.eof) }

        private func send(_ setup: SetupPacket, _ context: ChannelHandlerContext) {
            var request = ByteBuffer()
            SubmitCommand.control(sequence, deviceID: deviceID ?? 0, setup).write(to: &request)
            sequence &+= 1
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        }
    }

    private final class Lister: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let listed: EventLoopPromise<[String]>
        var bytes = ByteBuffer()

        init(_ listed: EventLoopPromise<[String]>) { self.listed = listed }

        func channelActive(context: ChannelHandlerContext) {
            var request = ByteBuffer()
            OperationRequest.listDevices.write(to: &request)
            context.writeAndFlush(NIOAny(request), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var new = unwrapInboundIn(data)
            bytes.writeBuffer(&new)
            do {
                guard case .devices(let devices)? = try OperationReply.read(from: &bytes) else { return }
                listed.succeed(devices.map { "\($0.record.busID)" })
            } catch {
                listed.fail(error)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { listed.fail(ChannelError.eof) }
    }
}

extension SetupPacket {
    fileprivate static func configuration(_ value: UInt8) -> SetupPacket {
        SetupPacket(requestType: RequestType(rawValue: 0), request: 9, value: UInt16(value))
    }
}
