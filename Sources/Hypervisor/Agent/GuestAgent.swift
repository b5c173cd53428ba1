import Foundation
import NIOCore
import NIOPosix

/// The QEMU guest agent of one VM: runs programs in the guest, as root.
///
/// Each use is a connection of its own: QEMU lets one client in at a time, and others may want the agent too. What it
/// says is the guest's word, so lines are bounded and nothing of it is trusted.
public struct GuestAgent: Sendable {
    static let lineLimit = 256 << 10

    public let socketPath: String
    private let group: any EventLoopGroup

    public init(socketPath: String, group: any EventLoopGroup) {
        self.socketPath = socketPath
        self.group = group
    }

    /// Whether an agent answers within `seconds`.
    public func isAnswering(within seconds: Double) async -> Bool {
        do throws(GuestAgentError) {
            try await converse(within: seconds) { _ in }
            return true
        } catch {
            return false
        }
    }

    /// Runs a program and waits for its end.
    ///
    /// - Parameter path: a path, or a name that the agent's PATH knows.
    public func run(
        _ path: String, _ arguments: [String], answerWithin: Double = 3, endWithin seconds: Double = 20
    ) async throws(GuestAgentError) -> GuestProgramResult {
        var result = GuestProgramResult(exitCode: nil, output: "")
        try await converse(within: answerWithin) { conversation in
            let started = try await conversation.ask(
                "guest-exec",
                [
                    "path": .string(path), "arg": .array(arguments.map { .string($0) }),
                    "capture-output": true,
                ])
            guard let pid = started["pid"]?.int else { throw GuestAgentError.malformed(detail: "guest-exec: no pid") }
            result = try await Self.end(of: pid, path, conversation, within: seconds)
        }
        return result
    }

    /// The agent tells of no end by itself: it must be asked.
    private static func end(
        of pid: Int64, _ program: String, _ conversation: Conversation, within seconds: Double
    ) async throws -> GuestProgramResult {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var pause = 20
        while true {
            let status = try await conversation.ask("guest-exec-status", ["pid": .int(pid)])
            if status["exited"]?.bool == true {
                let text = ["out-data", "err-data"].compactMap { status[$0]?.string }.compactMap {
                    Data(base64Encoded: $0).map { String(decoding: $0.suffix(2048), as: UTF8.self) }
                }
                let lines = text.joined(separator: "\n").split(whereSeparator: \.isNewline).suffix(4)
                return GuestProgramResult(
                    exitCode: status["exitcode"]?.int,
                    output: printable(lines.joined(separator: "; "), limit: 400))
            }
            guard ContinuousClock.now < deadline else {
                throw GuestAgentError.running(program: program, seconds: seconds)
            }
            try await Task.sleep(for: .milliseconds(pause))
            pause = min(pause * 2, 250)
        }
    }

    // MARK: The connection

    /// Opens a connection, finds the end of what an earlier client left, and closes it after `body`.
    private func converse(
        within seconds: Double, _ body: (Conversation) async throws -> Void
    ) async throws(GuestAgentError) {
        let client: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            client = try await ClientBootstrap(group: group).connectTimeout(.seconds(2))
                .connect(unixDomainSocketPath: socketPath) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ByteToMessageHandler(QMPLineDecoder(limit: Self.lineLimit)))
                        return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            let code = (error as? IOError)?.errnoCode
            let reason = code == EAGAIN ? "held by another client" : code.map(errorText) ?? "\(error)"
            throw .connectFailed(socket: socketPath, reason: reason)
        }
        do {
            try await client.executeThenClose { lines, writer in
                let conversation = Conversation(
                    channel: client.channel, lines: lines, writer: writer, patience: seconds)
                try await conversation.synchronize()
                try await body(conversation)
            }
        } catch let error as GuestAgentError {
            throw error
        } catch is QMPLineDecoder.LineTooLong {
            throw .malformed(detail: "a line longer than \(Self.lineLimit) bytes")
        } catch {
            throw .malformed(detail: printable("\(error)", limit: 200))
        }
    }

    /// One question after the other; a question that is not answered in time ends the connection.
    final class Conversation {
        /// Answers to somebody else that are skipped.
        private static let leftoverLimit = 256

        private let channel: any Channel
        private var lines: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private let writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private let patience: Double

        init(
            channel: any Channel, lines: NIOAsyncChannelInboundStream<ByteBuffer>,
            writer: NIOAsyncChannelOutboundWriter<ByteBuffer>, patience: Double
        ) {
            self.channel = channel
            self.lines = lines.makeAsyncIterator()
            self.writer = writer
            self.patience = patience
        }

        /// What an earlier client was owed may still come: everything before our own number is not for us.
        func synchronize() async throws {
            let number = Int64.random(in: 1...Int64(Int32.max))
            // 0xFF is in no JSON text: the agent drops whatever half line it holds.
            try await send("guest-sync", ["id": .int(number)], prefix: [0xFF])
            for _ in 0..<Self.leftoverLimit where try await answer()["return"]?.int == number { return }
            throw GuestAgentError.malformed(detail: "it does not come to the answer that was asked for")
        }

        func ask(_ command: String, _ arguments: JSONValue) async throws -> JSONValue {
            try await send(command, arguments)
            let answer = try await answer()
            if let refusal = answer["error"] {
                throw GuestAgentError.refused(
                    command: command, text: printable(refusal["desc"]?.string ?? "no reason given", limit: 200))
            }
            guard let value = answer["return"] else {
                throw GuestAgentError.malformed(detail: "\(command): neither return nor error")
            }
            return value
        }

        private func send(_ command: String, _ arguments: JSONValue, prefix: [UInt8] = []) async throws {
            let request: JSONValue = ["execute": .string(command), "arguments": arguments]
            var bytes = ByteBuffer(bytes: prefix)
            bytes.writeBytes(try JSONEncoder().encode(request))
            bytes.writeInteger(UInt8(ascii: "\n"))
            try await writer.write(bytes)
        }

        private func answer() async throws -> JSONValue {
            let channel = channel
            let timeout = channel.eventLoop.scheduleTask(in: .nanoseconds(Int64(patience * 1e9))) {
                channel.close(promise: nil)
            }
            let line = try await lines.next()
            timeout.cancel()
            guard let line else { throw GuestAgentError.silent(seconds: patience) }
            let text = line.readableBytesView.drop { $0 == 0xFF }
            do {
                return try JSONParser.parse(text)
            } catch {
                throw GuestAgentError.malformed(detail: error.problem)
            }
        }
    }
}
