import NIOCore
import NIOPosix
import RedirectionTestKit
import Synchronization
import USBRedirection

/// A guest behind a wire: says hello, and does with the device what its behaviour says.
final class FakeGuest: Sendable {
    enum Behaviour: Sendable {
        /// Sets configuration 1 whenever a device connects.
        case configures
        /// Takes the device and does nothing with it, as firmware without a driver.
        case ignores
        /// A paused VM: opens the wire, says nothing.
        case silent
        /// Refuses every device.
        case rejects
        /// Opens the wire and closes it when a device connects.
        case closes
    }

    private let channel: any Channel
    private let log: Log

    /// What the guest has seen.
    final class Log: Sendable {
        let connects = Mutex(0)
        let interfaces = Mutex<[InterfaceInfo]>([])
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        self.log = log
    }

    static func connect(_ path: String, _ behaviour: Behaviour) async throws -> FakeGuest {
        let log = Log()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(behaviour, log))
                }
            }
            .connect(unixDomainSocketPath: path).get()
        return FakeGuest(channel: channel, log: log)
    }

    /// How often a device was connected on this wire.
    var connects: Int { log.connects.withLock { $0 } }

    /// Interface count of each announcement.
    var interfaceCounts: [Int] { log.interfaces.withLock { $0.map(\.interfaces.count) } }

    func send(_ packets: [Packet]) async throws {
        try await channel.triggerUserOutboundEvent(packets).get()
    }

    func setConfiguration(_ value: UInt8) async throws { try await send([.setConfiguration(value)]) }

    /// Bytes that are no usbredir.
    func sendGarbage() async throws {
        try await channel.writeAndFlush(ByteBuffer(repeating: 0xFF, count: 64)).get()
    }

    func close() async {
        // Closing what is closed already is the wanted state.
        try? await channel.close()
    }

    private final class Handler: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let behaviour: Behaviour
        private let log: Log
        private var peer = GuestPeer()
        private var nextID: UInt64 = 1
        private var announced: InterfaceInfo?

        init(_ behaviour: Behaviour, _ log: Log) {
            self.behaviour = behaviour
            self.log = log
        }

        func channelActive(context: ChannelHandlerContext) {
            if case .silent = behaviour { return }
            context.writeAndFlush(wrapOutboundOut(peer.hello()), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let messages = try? peer.receive(unwrapInboundIn(data)) else {
                context.close(promise: nil)
                return
            }
            for message in messages {
                switch message.packet {
                case .interfaceInfo(let info): announced = info
                case .deviceDisconnect: send([.deviceDisconnectAck], context)
                case .deviceConnect:
                    log.connects.withLock { $0 += 1 }
                    if let announced { log.interfaces.withLock { $0.append(announced) } }
                    switch behaviour {
                    case .configures: send([.setConfiguration(1)], context)
                    case .rejects: send([.filterReject], context)
                    case .closes: context.close(promise: nil)
                    case .ignores, .silent: break
                    }
                default: break
                }
            }
        }

        func triggerUserOutboundEvent(
            context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
        ) {
            if let packets = event as? [Packet] { send(packets, context) }
            promise?.succeed()
        }

        private func send(_ packets: [Packet], _ context: ChannelHandlerContext) {
            let messages = packets.map { packet in
                defer { nextID += 1 }
                return Message(nextID, packet)
            }
            context.writeAndFlush(wrapOutboundOut(peer.bytes(messages)), promise: nil)
        }
    }
}
