import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import Hypervisor

/// A QEMU guest agent on a UNIX socket; its guest has the programs that the test gives it.
final class FakeAgent: Sendable {
    /// What a program does with its arguments: exit code and output.
    typealias Program = @Sendable (_ arguments: [String]) async -> (code: Int64, output: String)

    private let channel: any Channel
    private let ran = Mutex<[String]>([])

    private init(_ channel: any Channel) { self.channel = channel }

    /// Command lines, in order.
    var commands: [String] { ran.withLock { $0 } }

    static func start(at path: String, programs: [String: Program]) async throws -> FakeAgent {
        let held = Holder()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(QMPLineDecoder(limit: 1 << 16)), Handler(programs, held))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        let agent = FakeAgent(channel)
        held.agent.withLock { $0 = agent }
        return agent
    }

    func close() async {
        // Closing what is closed already is the wanted state.
        try? await channel.close()
    }

    fileprivate func note(_ command: String) { ran.withLock { $0.append(command) } }

    fileprivate final class Holder: Sendable {
        let agent = Mutex<FakeAgent?>(nil)
        let results = Mutex<[Int64: (code: Int64, output: String)]>([:])
        let nextPID = Mutex<Int64>(100)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let programs: [String: Program]
        let held: Holder

        init(_ programs: [String: Program], _ held: Holder) {
            self.programs = programs
            self.held = held
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let line = unwrapInboundIn(data).readableBytesView.drop { $0 == 0xFF }
            guard let request = try? JSONParser.parse(line), let command = request["execute"]?.string else { return }
            let arguments = request["arguments"]
            switch command {
            case "guest-sync": answer("{\"return\": \(arguments?["id"]?.int ?? 0)}", context)
            case "guest-exec":
                let path = arguments?["path"]?.string ?? ""
                let words = arguments?["arg"]?.array?.compactMap(\.string) ?? []
                held.agent.withLock { $0 }?.note(([path] + words).joined(separator: " "))
                guard let program = programs[path] else {
                    let text = "Failed to execute child process “\(path)” (No such file or directory)"
                    return answer(
                        "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Guest agent command failed, error was '\(text)'\"}}",
                        context)
                }
                let held = held
                let pid = held.nextPID.withLock { pid in
                    pid += 1
                    return pid
                }
                Task {
                    let result = await program(words)
                    held.results.withLock { $0[pid] = result }
                }
                answer("{\"return\": {\"pid\": \(pid)}}", context)
            case "guest-exec-status":
                guard let result = held.results.withLock({ $0[arguments?["pid"]?.int ?? 0] }) else {
                    return answer("{\"return\": {\"exited\": false}}", context)
                }
                let text = Data(result.output.utf8).base64EncodedString()
                answer(
                    "{\"return\": {\"exited\": true, \"exitcode\": \(result.code), \"out-data\": \"\(text)\"}}", context
                )
            default: answer("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"unknown\"}}", context)
            }
        }

        private func answer(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: text + "\n")), promise: nil)
        }
    }
}
