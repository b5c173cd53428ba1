import NIOCore
import Testing
import USBIP
import USBIPCodec
import USBIPTestKit

extension RealSocketTests {
    @Suite("USB/IP exporter: TLS with client certificates")
    struct TLSTests {
        private static var tls: ExporterTLS {
            ExporterTLS(
                certificateFile: TLSImporter.file("exporter.pem"), keyFile: TLSImporter.file("exporter.key"),
                clientAuthorityFile: TLSImporter.file("authority.pem"))
        }

        private func exporter() async throws -> RealExporter {
            try await RealExporter(
                listeners: [ExporterListener(address: .tcp(host: "127.0.0.1", port: 0), tls: Self.tls)])
        }

        private func request(_ request: OperationRequest) -> ByteBuffer {
            var bytes = ByteBuffer()
            request.write(to: &bytes)
            return bytes
        }

        @Test func importerWithACertificateIsServedAndReleased() async throws {
            let real = try await exporter()
            let device = try await real.publish("desk") { $0.sourceFill = 0x11 }
            let importer = try await TLSImporter.connect(port: real.port, certificate: "importer", group: real.group)
            try await importer.send(request(.importDevice(try #require(BusID("1-1")))))
            var answer = try await importer.receive(320)
            #expect(try OperationReply.read(from: &answer)?.record?.busID.description == "1-1")
            var peer = ImporterPeer(deviceID: 0x0001_0001)
            // Large enough to fill every buffer on the way, so that back-pressure is passed on.
            let large: Int32 = 8 << 20
            try await importer.send(peer.bytes([peer.setConfiguration(1, 1), peer.in(2, length: large)]))
            let replies = try peer.receive(try await importer.receive(48 + 48 + Int(large)))
            #expect(replies.count == 2)
            guard case .submit(let reply, let data, _)? = replies.last else { return }
            #expect(reply.actualLength == large)
            #expect(data == ByteBuffer(repeating: 0x11, count: Int(large)))
            #expect(await real.exporter.roundTripTime(of: "1-1") != nil)
            #expect(await real.exporter.release(busID: "1-1", reason: "unplug"))
            #expect(try await importer.receive(1).readableBytes == 0)
            try await real.eventually("free") { try await device.onLoop { !$0.isConnected } }
            try await real.stop()
        }

        @Test func importerThatGoesFreesTheDevice() async throws {
            let real = try await exporter()
            let device = try await real.publish("desk")
            let importer = try await TLSImporter.connect(port: real.port, certificate: "importer", group: real.group)
            try await importer.send(request(.importDevice(try #require(BusID("1-1")))))
            _ = try await importer.receive(320)
            #expect(try await device.onLoop { $0.isConnected })
            try await importer.channel.close()
            try await real.eventually("free") { try await device.onLoop { !$0.isConnected } }
            try await real.stop()
        }

        @Test(arguments: [nil, "outsider"])
        func importerWithoutACertificateOfTheAuthorityIsTurnedAway(certificate: String?) async throws {
            let real = try await exporter()
            _ = try await real.publish("desk")
            // The client may learn of it at the handshake or at its first read.
            if let importer = try? await TLSImporter.connect(
                port: real.port, certificate: certificate, group: real.group)
            {
                try? await importer.send(request(.listDevices))
                #expect(try await importer.receive(8).readableBytes == 0)
            }
            try await real.eventually("refused") { real.refusals.contains { $0.hasPrefix("TLS: ") } }
            try await real.stop()
        }

        @Test func clientThatSpeaksNoTLSIsTurnedAway() async throws {
            let real = try await exporter()
            let client = try BlockingImporter(port: real.port)
            try client.send(request(.listDevices).readableBytesView)
            var last: [UInt8] = []
            while case let bytes = try client.receive(), !bytes.isEmpty { last = bytes }
            // An alert at most, never an answer.
            #expect(!last.starts(with: [1, 0x11]))
            try await real.eventually("refused") { real.refusals.contains { $0.hasPrefix("TLS: ") } }
            try await real.stop()
        }

        @Test func missingCertificateIsNamed() async throws {
            let tls = ExporterTLS(certificateFile: "/nonexistent.pem", keyFile: "", clientAuthorityFile: "")
            do {
                let real = try await RealExporter(
                    listeners: [ExporterListener(address: .tcp(host: "127.0.0.1", port: 0), tls: tls)])
                try await real.stop()
                Issue.record("it listens")
            } catch let error as ExporterError {
                guard case .tls("127.0.0.1:0", _) = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }
}
