import ControlProtocol
import Foundation
import Logging
import NIOCore

/// One client of the control socket: requests in, responses and pushes out.
struct ControlConnection: Sendable {
    /// Commands of one client that may be under way at once.
    static let maximumRequests = 32

    let engine: Engine
    let logger: Logger

    typealias Writer = NIOAsyncChannelOutboundWriter<ByteBuffer>

    func run(_ client: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        let (id, pushes) = await engine.subscribe()
        do {
            try await client.executeThenClose { lines, writer in
                try await send(
                    .greeting(Greeting(pid: ProcessInfo.processInfo.processIdentifier)), to: writer)
                let traffic = TrafficSelection()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for await push in pushes { try await send(.push(push), to: writer) }
                    }
                    group.addTask { try await sendTraffic(traffic, to: writer) }
                    group.addTask { try await serve(lines, id: id, traffic: traffic, writer: writer) }
                    // The client's end of input ends the connection.
                    try await group.next()
                    group.cancelAll()
                }
            }
        } catch is CancellationError {
            // The other half ended; nothing is lost.
        } catch {
            logger.debug("control connection ended: \(error)")
        }
        await engine.unsubscribe(id)
    }

    private func serve(
        _ lines: NIOAsyncChannelInboundStream<ByteBuffer>, id: UInt64, traffic: TrafficSelection, writer: Writer
    ) async throws {
        let limit = ConnectionLimit(Self.maximumRequests)
        let decoder = JSONDecoder()
        try await withThrowingDiscardingTaskGroup { group in
            for try await line in lines {
                let request: Request
                do {
                    request = try decoder.decode(Request.self, from: Data(line.readableBytesView))
                } catch {
                    let id = (try? decoder.decode(RequestID.self, from: Data(line.readableBytesView)))?.id ?? 0
                    try await send(
                        .response(Response(id: id, outcome: .failed("not a request of this protocol version"))), to: writer)
                    continue
                }
                if case .subscribe(let subscription) = request.command {
                    await engine.set(subscription, for: id)
                    await traffic.select(subscription.traffic)
                    try await send(.response(Response(id: request.id, outcome: .done("subscribed"))), to: writer)
                    if let view = await traffic.next(from: engine) {
                        try await send(.push(.traffic(view)), to: writer)
                    }
                    continue
                }
                guard limit.take() else {
                    try await send(
                        .response(
                            Response(
                                id: request.id,
                                outcome: .failed("more than \(Self.maximumRequests) commands are under way here; wait for one"))),
                        to: writer)
                    continue
                }
                group.addTask {
                    defer { limit.give() }
                    let outcome = await engine.perform(request.command, actor: Self.name(request.actor))
                    try await send(.response(Response(id: request.id, outcome: outcome)), to: writer)
                }
            }
            group.cancelAll()
        }
    }

    /// Sends the selected traffic twice a second while it moves; the pace is the display's.
    private func sendTraffic(_ selection: TrafficSelection, to writer: Writer) async throws {
        while true {
            try await Task.sleep(for: .milliseconds(500))
            if let view = await selection.next(from: engine) { try await send(.push(.traffic(view)), to: writer) }
        }
    }

    private func send(_ line: ServerLine, to writer: Writer) async throws {
        var buffer = ByteBuffer(bytes: try JSONEncoder().encode(line))
        buffer.writeInteger(UInt8(ascii: "\n"))
        try await writer.write(buffer)
    }

    /// A client's name for itself is shown, so it is kept short and printable.
    private static func name(_ actor: String) -> String {
        let shown = actor.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F && !(0x80..<0xA0).contains($0.value) }
        return shown.isEmpty ? "somebody" : String(String.UnicodeScalarView(shown.prefix(64)))
    }

    private struct RequestID: Decodable { var id: UInt64 }
}
