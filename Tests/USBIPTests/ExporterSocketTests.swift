import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestDirectory
import Testing
import USBIP
import USBIPTestKit

extension RealSocketTests {
    /// What listens, what it leaves behind, and how an accepted socket is set up.
    @Suite("USB/IP exporter's sockets")
    struct ExporterSocketTests {
        /// lcgamboa: 44 ms per control transfer without it.
        @Test func importersSocketHasNoDelayAndKeepalive() async throws {
            let options = NIOLockedValueBox<[String: CInt]>([:])
            // The socket that a session is handed is the one accepted, with all its options: look at a watch channel's.
            let real = try await RealExporter(
                watch: { channel, _, _ in
                    channel.eventLoop.makeCompletedFuture {
                        let found = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                            of: NIOBSDSocket.Handle.self
                        ) { socket in
                            [
                                "nodelay": option(socket, CInt(IPPROTO_TCP), TCP_NODELAY),
                                "keepalive": option(socket, SOL_SOCKET, SO_KEEPALIVE),
                                "timeout": option(socket, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT),
                                "idle": option(socket, CInt(IPPROTO_TCP), TCP_KEEPIDLE),
                            ]
                        }
                        options.withLockedValue { $0 = found ?? [:] }
                        channel.close(promise: nil)
                    }
                })
            let client = try BlockingImporter(port: real.port)
            try client.send(Array("{".utf8))
            #expect(try client.isAtEnd())
            #expect(options.withLockedValue { $0 } == ["nodelay": 1, "keepalive": 1, "timeout": 10_000, "idle": 2])
            try await real.stop()
        }

        @Test func watchChannelGetsItsFirstByteToo() async throws {
            let real = try await RealExporter(
                watch: { channel, peer, _ in
                    channel.eventLoop.makeCompletedFuture {
                        #expect(peer?.ipAddress == "127.0.0.1")
                        try channel.pipeline.syncOperations.addHandler(EchoHandler())
                    }
                })
            let client = try BlockingImporter(port: real.port)
            try client.send(Array("{\"watch\": ".utf8))
            var text: [UInt8] = []
            while text.count < 10 { text += try client.receive() }
            try client.send(Array("1}\n".utf8))
            while text.count < 13 { text += try client.receive() }
            #expect(String(decoding: text, as: UTF8.self) == "{\"watch\": 1}\n")
            try await real.stop()
        }

        @Test func unixSocketIsItsOwnersAndReplacesADeadOne() async throws {
            let directory = try TemporaryDirectory()
            let path = directory.file("usbip.sock")
            for _ in 0..<2 {
                let real = try await RealExporter(listeners: [ExporterListener(address: .unix(path: path))])
                _ = try await real.publish("desk", allow: [try #require(CIDR("192.0.2.0/24"))])
                var status = stat()
                #expect(lstat(path, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600)
                let importer = try BlockingImporter(path: path)
                #expect(try importer.importDevice("1-1").record != nil)
                #expect(real.exporter.importer(of: "1-1")?.peer == "unix:\(path)")
                #expect(await real.exporter.roundTripTime(of: "1-1") == nil)
                // A second exporter does not take a served socket.
                await #expect(throws: ExporterError.inUse(path)) {
                    _ = try await RealExporter(listeners: [ExporterListener(address: .unix(path: path))])
                }
                try await real.stop()
                #expect(lstat(path, &status) != 0)
                // What a killed exporter leaves.
                let dead = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
                let address = try SocketAddress(unixDomainSocketPath: path)
                #expect(address.withSockAddr { bind(dead, $0, socklen_t($1)) } == 0)
                close(dead)
            }
            #expect(unlink(path) == 0)
        }

        @Test func fileThatIsNoSocketIsLeftAlone() async throws {
            let directory = try TemporaryDirectory()
            let path = directory.file("precious")
            try Data("x".utf8).write(to: URL(fileURLWithPath: path))
            await #expect(throws: ExporterError.notASocket(path)) {
                _ = try await RealExporter(listeners: [ExporterListener(address: .unix(path: path))])
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("x".utf8))
        }

        @Test func addressInUseIsNamedAndNothingListens() async throws {
            let real = try await RealExporter()
            let taken = ListenAddress.tcp(host: "127.0.0.1", port: real.port)
            let directory = try TemporaryDirectory()
            let path = directory.file("first.sock")
            await #expect(throws: ExporterError.inUse(taken.description)) {
                _ = try await RealExporter(
                    listeners: [ExporterListener(address: .unix(path: path)), ExporterListener(address: taken)])
            }
            var status = stat()
            #expect(lstat(path, &status) != 0)
            try await real.stop()
        }
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.channel.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }
}

private func option(_ socket: CInt, _ level: CInt, _ name: CInt) -> CInt {
    var value: CInt = -1
    var size = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(socket, level, name, &value, &size) == 0 ? value : -1
}
