import Foundation
import NIOCore
import Synchronization

/// Runs shell commands in the guest over virtio-serial; any number may be under way at once.
final class CommandChannel: Sendable {
    private struct State {
        var channel: (any Channel)?
        var nextID = 0
        var waiting: [Int: OneShot<CommandResult>] = [:]
        var end: LabError?
    }

    /// A script longer than this belongs into a ``GuestFile``.
    private static let longestScript = 256 << 10

    let ready = OneShot<String>()
    private let guestName: String
    private let state = Mutex(State())

    init(guestName: String) {
        self.guestName = guestName
    }

    func handle(_ reply: AgentReply) {
        switch reply {
        case .ready(let release):
            ready.succeed(release)
        case .exit(let id, let result):
            // A reply to a command that has timed out finds no one.
            state.withLock { $0.waiting.removeValue(forKey: id) }?.succeed(result)
        }
    }

    func attach(_ channel: any Channel) {
        state.withLock { $0.channel = channel }
    }

    /// Fails everything under way and everything to come.
    func end(_ error: LabError) {
        let waiting = state.withLock { state in
            if state.end == nil { state.end = error }
            state.channel = nil
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        ready.fail(error)
        waiting.forEach { $0.fail(error) }
    }

    /// Runs a script with `sh`; on timeout or cancellation its process group in the guest is killed.
    func run(_ script: String, timeout: Duration) async throws -> CommandResult {
        guard script.utf8.count <= Self.longestScript else {
            throw LabError.configuration("a command of \(script.utf8.count) bytes is too long; use a guest file")
        }
        let result = OneShot<CommandResult>()
        let (id, channel): (Int, any Channel) = try state.withLock { state in
            guard let channel = state.channel else {
                throw state.end ?? LabError.protocolViolation("guest \(guestName) has no command channel yet")
            }
            state.nextID += 1
            state.waiting[state.nextID] = result
            return (state.nextID, channel)
        }
        let encoded = Data((script + "\n").utf8).base64EncodedString()
        send("run \(id) \(encoded)\n", on: channel)
        do {
            return try await result.value(within: timeout) {
                LabError.timeout(waitingFor: "end of `\(script.prefix(120))` in the guest", after: timeout, detail: "")
            }
        } catch {
            if state.withLock({ $0.waiting.removeValue(forKey: id) }) != nil { send("kill \(id)\n", on: channel) }
            throw error
        }
    }

    private func send(_ line: String, on channel: any Channel) {
        channel.writeAndFlush(ByteBuffer(string: line)).whenFailure { [self] error in
            end(.protocolViolation("the command channel of guest \(guestName) broke: \(error)"))
        }
    }
}
