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
        let (id, outbox) = await engine.subscribe()
        do {
            try await client.executeThenClose { lines, writer in
                try await send(
                    .greeting(Greeting(pid: ProcessInfo.processInfo.processIdentifier)), to: writer)
                let traffic = TrafficSelection()
                try await withThrowingTaskGroup(of: Ending.self) { group in
                    group.addTask {
                        for await _ in outbox.wake.stream {
                            while let line = outbox.next() { try await writer.write(try line.bytes()) }
                        }
                        return .ofPushes
                    }
                    group.addTask {
                        try await sendTraffic(traffic, to: writer)
                        return .ofPushes
                    }
                    group.addTask {
                        try await serve(lines, id: id, traffic: traffic, writer: writer)
                        return .ofRequests
                    }
                    // The client's end of input ends the connection. An engine that ends has no more to tell, but
                    // answers that are under way still go out before it closes us.
                    while let ending = try await group.next(), ending == .ofPushes {}
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
                let data = Data(line.readableBytesView)
                let request: Request
                do {
                    request = try decoder.decode(Request.self, from: data)
                } catch {
                    let id = (try? decoder.decode(RequestID.self, from: data))?.id ?? 0
                    let reason = "not a request of this engine's protocol (version \(ControlProtocol.version))"
                    try await send(.response(Response(id: id, outcome: .failed(reason))), to: writer)
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
                                outcome: .failed(
                                    "more than \(Self.maximumRequests) commands are under way here; wait for one"))),
                        to: writer)
                    continue
                }
                group.addTask {
                    defer { limit.give() }
                    let outcome = try await perform(request)
                    try await send(.response(Response(id: request.id, outcome: outcome)), to: writer)
                }
            }
            group.cancelAll()
        }
    }

    /// A client that goes does not take back what it has ordered: the command goes on, only its answer is lost.
    private func perform(_ request: Request) async throws -> Outcome {
        let (answers, answer) = AsyncStream.makeStream(of: Outcome.self)
        let (engine, actor) = (engine, Self.name(request.actor))
        Task {
            answer.yield(await engine.perform(request.command, actor: actor))
            answer.finish()
        }
        for await outcome in answers { return outcome }
        throw CancellationError()
    }

    /// Sends the selected traffic twice a second while it moves; the pace is the display's.
    private func sendTraffic(_ selection: TrafficSelection, to writer: Writer) async throws {
        while true {
            try await Task.sleep(for: .milliseconds(500))
            if let view = await selection.next(from: engine) { try await send(.push(.traffic(view)), to: writer) }
        }
    }

    private func send(_ line: ServerLine, to writer: Writer) async throws {
        try await writer.write(try SharedLine.encode(line))
    }

    /// A client's name for itself is shown, so it is kept short and printable; "guest" and the like are ours to say.
    private static func name(_ actor: String) -> String {
        let shown = printable(actor)
        if shown.isEmpty { return "somebody" }
        return ["guest", "engine", "hypervisor", "device"].contains(shown) ? "somebody called \(shown)" : shown
    }

    private enum Ending { case ofPushes, ofRequests }

    private struct RequestID: Decodable { var id: UInt64 }
}
