import Foundation
import NIOCore
import NIOFoundationCompat
import Synchronization

/// The lab's own QMP connection to a guest, beside the one the engine under test uses.
public final class GuestMonitor: Sendable {
    private struct Request: Encodable {
        let execute: String
        let arguments: [String: QMPValue]?
        let id: Int
    }

    /// The parts of QMP messages that tell them apart; the rest stays raw.
    private struct Envelope: Decodable {
        struct Failure: Decodable {
            let `class`: String
            let desc: String
        }
        struct Anything: Decodable {}
        let id: Int?
        let error: Failure?
        let event: String?
        let QMP: Anything?
    }

    private struct State {
        var channel: (any Channel)?
        var nextID = 0
        var waiting: [Int: (command: String, reply: OneShot<Data>)] = [:]
        var events: [String] = []
        var end: LabError?
    }

    private static let keptEvents = 1000

    let greeted = OneShot<Void>()
    private let state = Mutex(State())

    init() {}

    /// Names of the events seen, oldest first.
    public var eventNames: [String] { state.withLock { $0.events } }

    func attach(_ channel: any Channel) {
        state.withLock { $0.channel = channel }
    }

    func handle(_ line: ByteBuffer) {
        let data = Data(buffer: line)
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: data) else {
            end(.protocolViolation("QEMU sent a QMP line that is not an object: \(String(buffer: line).prefix(200))"))
            return
        }
        if envelope.QMP != nil {
            greeted.succeed(())
        } else if let event = envelope.event {
            state.withLock { state in
                if state.events.count < Self.keptEvents { state.events.append(event) }
            }
        } else if let id = envelope.id, let waiting = state.withLock({ $0.waiting.removeValue(forKey: id) }) {
            if let error = envelope.error {
                waiting.reply.fail(
                    LabError.qmp(command: waiting.command, kind: error.class, description: error.desc))
            } else {
                waiting.reply.succeed(data)
            }
        }
    }

    func end(_ error: LabError) {
        let waiting = state.withLock { state in
            if state.end == nil { state.end = error }
            state.channel = nil
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        greeted.fail(error)
        waiting.forEach { $0.reply.fail(error) }
    }

    /// Executes a QMP command and returns the whole reply, one JSON object with `return`.
    @discardableResult
    public func execute(
        _ command: String, _ arguments: [String: QMPValue] = [:], timeout: Duration = .seconds(20)
    ) async throws -> Data {
        let reply = OneShot<Data>()
        let (id, channel): (Int, any Channel) = try state.withLock { state in
            guard let channel = state.channel else {
                throw state.end ?? LabError.protocolViolation("QMP \(command): QEMU has not connected yet")
            }
            state.nextID += 1
            state.waiting[state.nextID] = (command, reply)
            return (state.nextID, channel)
        }
        defer { _ = state.withLock { $0.waiting.removeValue(forKey: id) } }
        let request = Request(execute: command, arguments: arguments.isEmpty ? nil : arguments, id: id)
        var bytes = ByteBuffer(data: try JSONEncoder().encode(request))
        bytes.writeString("\n")
        channel.writeAndFlush(bytes).whenFailure { reply.fail($0) }
        return try await reply.value(within: timeout) {
            LabError.timeout(waitingFor: "answer to QMP \(command)", after: timeout, detail: "")
        }
    }
}
