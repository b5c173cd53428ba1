import ControlSocket
import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import Engine

/// A guest's `2virt-guest watch`: attaches what it is told to, as its behaviour says.
final class FakeWatcher: Sendable {
    enum Behaviour: Sendable {
        case attaches
        case fails(String)
        /// Hears everything and does nothing, not even answer a ping.
        case ignores
    }

    private let channel: any Channel
    private let port: Int
    private let behaviour: Behaviour
    private let importers = Mutex<[String: FakeImporter]>([:])
    private let said = Mutex<[WatchOrder]>([])

    private init(_ channel: any Channel, port: Int, _ behaviour: Behaviour) {
        self.channel = channel
        self.port = port
        self.behaviour = behaviour
    }

    /// Connects and says who it is.
    static func start(_ guest: String, port: Int, _ behaviour: Behaviour = .attaches) async throws -> FakeWatcher {
        let watcher = try await connect(port: port, behaviour)
        watcher.send(.watch(version: 1, guest: guest))
        return watcher
    }

    /// Connects and says nothing.
    static func connect(port: Int, _ behaviour: Behaviour = .ignores) async throws -> FakeWatcher {
        let (lines, input) = AsyncStream.makeStream(of: WatchOrder.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(LineFrameDecoder(limit: 1 << 16)), Handler(input))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let watcher = FakeWatcher(channel, port: port, behaviour)
        Task { for await order in lines { await watcher.take(order) } }
        return watcher
    }

    /// Everything that the engine has said.
    var orders: [WatchOrder] { said.withLock { $0 } }
    var isOpen: Bool { channel.isActive }

    /// As the guest's own user does: the device is gone, and the watch says so.
    func giveBack(_ busID: String) async {
        await importers.withLock { $0.removeValue(forKey: busID) }?.close()
        send(.detached(busid: busID))
    }

    func importer(_ busID: String) -> FakeImporter? { importers.withLock { $0[busID] } }

    func send(_ report: WatchReport) {
        guard let data = try? JSONEncoder().encode(report) else { return }
        send(text: String(decoding: data, as: UTF8.self) + "\n")
    }

    func send(text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    func close() async {
        // Closing what is closed already is the wanted state.
        try? await channel.close()
    }

    /// The network breaks: everything of this guest ends at once.
    func breakDown() async {
        await close()
        for importer in importers.withLock({ Array($0.values) }) { await importer.close() }
    }

    private func take(_ order: WatchOrder) async {
        said.withLock { $0.append(order) }
        if case .ignores = behaviour { return }
        switch order {
        case .attach(let busID, _, _):
            if case .fails(let reason) = behaviour { return send(.failed(busid: busID, reason: reason)) }
            if importer(busID)?.isOpen == true { return send(.attached(busid: busID, port: 3)) }
            do {
                let importer = try await FakeImporter.take(busID, port: port, configures: false)
                importers.withLock { $0[busID] = importer }
                try await importer.setConfiguration(1)
                send(.attached(busid: busID, port: 3))
            } catch {
                send(.failed(busid: busID, reason: "\(error)"))
            }
        case .detach(let busID):
            await importers.withLock { $0.removeValue(forKey: busID) }?.close()
            send(.detached(busid: busID))
        case .ping: send(.pong)
        case .hello, .refused: break
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let input: AsyncStream<WatchOrder>.Continuation

        init(_ input: AsyncStream<WatchOrder>.Continuation) { self.input = input }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let line = Data(unwrapInboundIn(data).readableBytesView)
            guard let order = try? JSONDecoder().decode(WatchOrder.self, from: line) else {
                return context.close(promise: nil)
            }
            input.yield(order)
        }

        func channelInactive(context: ChannelHandlerContext) { input.finish() }
    }
}
