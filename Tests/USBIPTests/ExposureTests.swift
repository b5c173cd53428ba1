import Foundation
import NIOCore
import Testing
import USBCore
import USBIP
import USBIPCodec
import USBIPTestKit

extension RealSocketTests {
    /// Exposure is a decision: who may connect, who may import, how many, and for how long they may say nothing.
    @Suite("USB/IP exporter: exposure")
    struct ExposureTests {
        private let somewhere = ListenAddress.tcp(host: "127.0.0.1", port: 0)

        @Test func loopbackAloneIsAllowedByDefault() {
            let listener = ExporterListener(address: .tcp(host: "0.0.0.0", port: 0))
            #expect(listener.allow.isEmpty)
        }

        @Test func peerOutsideTheListenersNetworksIsDroppedAndReported() async throws {
            let network = try #require(CIDR("192.0.2.0/24"))
            let real = try await RealExporter(listeners: [ExporterListener(address: somewhere, allow: [network])])
            _ = try await real.publish("desk")
            let client = try BlockingImporter(port: real.port)
            #expect(try client.isAtEnd())
            guard case .refused(let peer, let reason)? = real.events.first else {
                Issue.record("\(real.events)")
                return
            }
            #expect(peer.hasPrefix("127.0.0.1:"))
            #expect(reason == "its address is not in the listener's allowed networks")
            try await real.stop()
        }

        @Test func deviceOutsideAPeersReachIsNeitherShownNorGiven() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("open", number: 1)
            _ = try await real.publish("closed", number: 2, allow: [try #require(CIDR("192.0.2.0/24"))])
            let devices = try BlockingImporter(port: real.port).operation(.listDevices).devices
            #expect(devices?.map(\.record.path) == ["/2virt/open"])
            #expect(try BlockingImporter(port: real.port).importDevice("1-2").status == .noDevice)
            #expect(real.refusals == ["its address is not in the allowed networks of closed"])
            try await real.stop()
        }

        @Test func connectionsAreLimitedAndFreedAgain() async throws {
            let real = try await RealExporter(limits: ExporterLimits(maximumConnections: 3))
            _ = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            #expect(try importer.importDevice("1-1").record != nil)
            // The connection's own channel is gone once its device has it.
            let idle = try (0..<2).map { _ in try BlockingImporter(port: real.port) }
            try await real.eventually("three connections") {
                let more = try BlockingImporter(port: real.port)
                return try more.isAtEnd() && real.refusals.contains("too many connections")
            }
            idle[0].close()
            try await real.eventually("room") {
                (try? BlockingImporter(port: real.port).operation(.listDevices).devices) != nil
            }
            #expect(idle.count == 2)
            try await real.stop()
        }

        @Test func importsAreLimited() async throws {
            let real = try await RealExporter(limits: ExporterLimits(maximumImports: 1))
            _ = try await real.publish("a", number: 1)
            _ = try await real.publish("b", number: 2)
            let first = try BlockingImporter(port: real.port)
            #expect(try first.importDevice("1-1").record != nil)
            #expect(try BlockingImporter(port: real.port).importDevice("1-2").status == .error)
            #expect(real.refusals == ["too many imports"])
            try await real.stop()
        }

        @Test func connectionThatSaysNothingIsDropped() async throws {
            let real = try await RealExporter(limits: ExporterLimits(operationTimeLimit: .milliseconds(50)))
            let silent = try BlockingImporter(port: real.port)
            #expect(try silent.isAtEnd())
            let slow = try BlockingImporter(port: real.port)
            try slow.send([1, 0x11, 0x80])
            #expect(try slow.isAtEnd())
            #expect(Set(real.refusals) == ["it took too long to say what it wants"])
            try await real.stop()
        }

        @Test func importerThatAsksNothingLosesTheDevice() async throws {
            let real = try await RealExporter(limits: ExporterLimits(firstRequestTimeLimit: .milliseconds(50)))
            let device = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            #expect(try importer.importDevice("1-1").record != nil)
            #expect(try importer.isAtEnd())
            try await real.eventually("released") { try await device.onLoop { !$0.isConnected } }
            try await real.stop()
        }

        @Test func watchChannelIsRefusedWhereThereIsNone() async throws {
            let real = try await RealExporter()
            let client = try BlockingImporter(port: real.port)
            try client.send(Array("{}\n".utf8))
            #expect(try client.isAtEnd())
            #expect(real.refusals == ["there is no watch channel here"])
            try await real.stop()
        }

        /// Debian's own client.
        @Test func debiansUsbipListsOurDevices() async throws {
            let real = try await RealExporter(
                listeners: [ExporterListener(address: somewhere), ExporterListener(address: somewhere)])
            _ = try await real.publish("desk", number: 1)
            _ = try await real.publish("mux", number: 2, speed: .super)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/sbin/usbip")
            process.arguments = ["--tcp-port", "\(real.port)", "list", "-r", "127.0.0.1"]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(text)")
            #expect(text.contains("Exportable USB devices"), "\(text)")
            for line in ["1-1: ", "1-2: ", "(1209:0001)", ": /2virt/desk", ": /2virt/mux"] {
                #expect(text.contains(line), "\(text)")
            }
            try await real.stop()
        }
    }
}
