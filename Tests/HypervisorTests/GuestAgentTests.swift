import Foundation
import NIOCore
import NIOPosix
import TestDirectory
import Testing

@testable import Hypervisor

/// The guest agent's socket: found, and spoken to whatever it says.
@Suite(.timeLimit(.minutes(1)))
struct GuestAgentTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("qga.sock") }
    var agent: GuestAgent { GuestAgent(socketPath: path, group: MultiThreadedEventLoopGroup.singleton) }

    init() throws { directory = try TemporaryDirectory() }

    @Test(
        arguments: [
            ("disconnected:unix:/run/a.qga,server=on", "/run/a.qga"),
            ("unix:/run/a.qga,server=on", "/run/a.qga"),
            ("disconnected:unix:/run/a,b.qga,server=on", "/run/a,b.qga"),
            ("unix:/run/a.qga", nil),
            ("disconnected:tcp:127.0.0.1:5000,server=on", nil),
            ("unix:a.qga,server=on", nil),
            ("pty:/dev/pts/3", nil),
            ("", nil),
        ] as [(String, String?)])
    func pathsAreThoseWeCanConnectTo(_ filename: String, _ path: String?) {
        #expect(GuestAgentDiscovery.path(filename) == path)
    }

    @Test func aRealQEMUTellsWhereItsAgentIs() async throws {
        let qmp = directory.file("a.qmp")
        let qemu = try QEMU(
            socket: qmp, devices: ["virtio-serial-pci"],
            extra: [
                "-chardev", "socket,path=\(path),server=on,wait=off,id=qga0",
                "-device", "virtserialport,chardev=qga0,name=org.qemu.guest_agent.0",
            ])
        try await withRegistry([.qmp(path: qmp, name: "a")]) { registry in
            let list = try await firstList(registry, within: 15, "running") { $0.vms.first?.runState == .running }
            #expect(list.vms.first?.guestAgentSocket == path)
            // No guest, no agent: that is found out by asking.
            #expect(await agent.isAnswering(within: 0.3) == false)
        }
        qemu.kill()
    }

    @Test func whatAnEarlierClientWasOwedIsSkipped() async throws {
        let peer = try await Peer(path) { line in
            guard let id = line["arguments"]?["id"]?.int else { return "{\"return\": {\"pid\": 7}}\n" }
            return "{\"return\": 12}\n{\"error\": {}}\n{\"return\": \(id)}\n"
        }
        #expect(await agent.isAnswering(within: 2))
        try await peer.close()
    }

    @Test(arguments: ["garbage\n", "{\"return\": {}}\n", "", String(repeating: "x", count: 600_000)])
    func anAgentThatLiesIsNotBelieved(_ answer: String) async throws {
        let peer = try await Peer(path) { line in
            if line["execute"]?.string == "guest-sync" {
                return "{\"return\": \(line["arguments"]?["id"]?.int ?? 0)}\n"
            }
            return answer
        }
        let error = await #expect(throws: GuestAgentError.self) {
            _ = try await agent.run("x", [], answerWithin: 0.5)
        }
        #expect(error?.description.isEmpty == false)
        try await peer.close()
    }

    @Test func anAgentThatNeverComesToTheAnswerIsLeft() async throws {
        let peer = try await Peer(path) { _ in String(repeating: "{\"return\": 0}\n", count: 2000) }
        #expect(await agent.isAnswering(within: 5) == false)
        try await peer.close()
    }

    @Test func aProgramThatDoesNotEndIsNotWaitedFor() async throws {
        let peer = try await Peer(path) { line in
            switch line["execute"]?.string {
            case "guest-sync": "{\"return\": \(line["arguments"]?["id"]?.int ?? 0)}\n"
            case "guest-exec": "{\"return\": {\"pid\": 7}}\n"
            default: "{\"return\": {\"exited\": false}}\n"
            }
        }
        await #expect(throws: GuestAgentError.running(program: "sleep", seconds: 0.1)) {
            _ = try await agent.run("sleep", ["1000"], endWithin: 0.1)
        }
        try await peer.close()
    }

    /// Answers each line with a text.
    final class Peer: Sendable {
        typealias Answer = @Sendable (JSONValue) -> String
        private let channel: any Channel

        init(_ path: String, _ answer: @escaping Answer) async throws {
            channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers(
                            ByteToMessageHandler(QMPLineDecoder(limit: 1 << 16)), Handler(answer))
                    }
                }
                .bind(unixDomainSocketPath: path).get()
        }

        func close() async throws { try await channel.close().get() }

        private final class Handler: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer
            let answer: Answer

            init(_ answer: @escaping Answer) { self.answer = answer }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                let line = unwrapInboundIn(data).readableBytesView.drop { $0 == 0xFF }
                guard let value = try? JSONParser.parse(line) else { return }
                context.writeAndFlush(NIOAny(ByteBuffer(string: answer(value))), promise: nil)
            }
        }
    }
}
