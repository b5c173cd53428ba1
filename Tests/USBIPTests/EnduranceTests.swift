import Foundation
import NIOCore
import Testing
import USBCore
import USBIP
import USBIPCodec
import USBIPTestKit

extension RealSocketTests {
    /// What only shows in numbers: descriptors, memory, neighbours.
    @Suite("USB/IP exporter: endurance")
    struct EnduranceTests {
        /// Open descriptors of this process.
        private var descriptors: Int {
            get throws { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        }

        /// Resident memory in bytes.
        private var residentBytes: Int {
            get throws {
                let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
                return try #require(Int(line.split(separator: " ")[1])) << 10
            }
        }

        @Test func tenThousandConnectionsDroppedAtRandomPointsLeaveNothing() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk") { $0.sourceFill = 3 }
            // Event loops, and what sleeps in this test, open what they need at first use.
            try await Task.sleep(for: .milliseconds(1))
            for _ in 0..<8 { _ = try BlockingImporter(port: real.port).operation(.listDevices) }
            var first: BlockingImporter? = try BlockingImporter(port: real.port)
            #expect(try first?.importDevice("1-1").record != nil)
            first = nil
            try await real.eventually("all closed") { real.exporter.openConnections == 0 }
            let before = try descriptors
            var random = SplitMix64(state: 10_000)
            var halfway = 0
            for round in 0..<10_000 {
                try drop(real, &random)
                if round == 5000 {
                    try await settle(real, before)
                    halfway = try residentBytes
                }
            }
            try await settle(real, before)
            let growth = try residentBytes - halfway
            print(
                "10,000 connections: descriptors \(before) before, \(try descriptors) after; memory \(growth >> 10) KiB more after the second half"
            )
            #expect(growth < 16 << 20)
            #expect(try await device.onLoop { !$0.isConnected })
            let importer = try BlockingImporter(port: real.port)
            #expect(try importer.importDevice("1-1").record != nil)
            try importer.send(importer.peer.getDescriptor(1, 1, length: 18))
            #expect(try importer.replies(1).count == 1)
            try await real.stop()
        }

        private func settle(_ real: RealExporter, _ before: Int) async throws {
            do {
                try await real.eventually("nobody has the device") { real.exporter.importer(of: "1-1") == nil }
                try await real.eventually("descriptors back to \(before)") { try self.descriptors <= before }
            } catch {
                Issue.record("open descriptors: \(try openFiles)")
                throw error
            }
        }

        private var openFiles: [String] {
            get throws {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").map { name in
                    let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
                    return "\(name): \(file ?? "gone")"
                }
            }
        }

        /// A client that goes somewhere between its connect and its URBs, with or without a reset.
        private func drop(_ real: RealExporter, _ random: inout SplitMix64) throws {
            let client = try BlockingImporter(port: real.port)
            var bytes = ByteBuffer()
            switch Int.random(in: 0..<5, using: &random) {
            case 0: break
            case 1: OperationRequest.listDevices.write(to: &bytes)
            case 2: bytes.writeRepeatingByte(UInt8.random(in: 0...255, using: &random), count: 64)
            default:
                OperationRequest.importDevice(try #require(BusID("1-1"))).write(to: &bytes)
                let peer = ImporterPeer(deviceID: 0x0001_0001)
                peer.setConfiguration(1, 1).write(to: &bytes)
                for number in 2..<10 as Range<UInt32> { peer.in(number, 2, length: 64).write(to: &bytes) }
                peer.in(10, length: 4096).write(to: &bytes)
                peer.unlink(11, 2).write(to: &bytes)
            }
            // A refused import closes while its URBs still come.
            try? client.send(bytes.readableBytesView.prefix(Int.random(in: 0...bytes.readableBytes, using: &random)))
            // Sometimes it waits for an answer, which may be the end of the stream.
            if bytes.readableBytes > 48, Bool.random(using: &random), Bool.random(using: &random) {
                var wait = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
                poll(&wait, 1, 2)
            }
            if Bool.random(using: &random) { client.reset() } else { client.close() }
        }

        /// Both devices are on one loop: the worst neighbour there can be.
        @Test func importerThatStopsReadingCostsBoundedMemoryAndDisturbsNobody() async throws {
            // A peer whose window stays shut is dropped in the end; here it is to be looked at first.
            let real = try await RealExporter(limits: ExporterLimits(peerTimeLimit: .seconds(600)), threads: 1)
            _ = try await real.publish("greedy", number: 1) { $0.sourceFill = 9 }
            _ = try await real.publish("modest", number: 2)
            let modest = try BlockingImporter(port: real.port)
            #expect(try modest.importDevice("1-2").record != nil)
            var number: UInt32 = 0
            let undisturbed = try roundTrips(modest, &number)
            let memory = try residentBytes
            let greedy = try BlockingImporter(port: real.port)
            #expect(try greedy.importDevice("1-1").record != nil)
            try greedy.send(greedy.peer.setConfiguration(1, 1))
            _ = try greedy.replies(1)
            // 16 KiB for 48 bytes, for as long as the exporter takes requests; nothing is ever read.
            let peer = greedy.peer
            var batch = ByteBuffer()
            for number in 2..<1026 as Range<UInt32> { peer.in(number, length: 16 << 10).write(to: &batch) }
            let asked = greedy.sendUntilFull(Array(batch.readableBytesView), quiet: 500)
            let disturbed = try roundTrips(modest, &number)
            let cost = try residentBytes - memory
            print(
                "an importer that does not read: \(asked >> 10) KiB of requests taken by the sockets for \((asked / 48 * 16) >> 10) MiB of data, "
                    + "\(cost >> 10) KiB of memory; its neighbour's control round trip \(undisturbed) before, \(disturbed) beside it"
            )
            #expect(cost < 32 << 20)
            #expect(disturbed < max(.milliseconds(20), undisturbed * 10))
            // It is still served once it reads.
            #expect(try !greedy.receive().isEmpty)
            try await real.stop()
        }

        /// Two exporters that differ in nothing but the limit; the end of one import tells when to look at the other.
        @Test func importerThatPausesKeepsItsDeviceForAsLongAsConfigured() async throws {
            let strict = try await RealExporter(limits: ExporterLimits(peerTimeLimit: .seconds(2)), threads: 1)
            let patient = try await RealExporter(limits: ExporterLimits(peerTimeLimit: .seconds(600)), threads: 1)
            var paused: [BlockingImporter] = []
            for real in [strict, patient] {
                _ = try await real.publish("disk", number: 1) { $0.sourceFill = 9 }
                let importer = try BlockingImporter(port: real.port)
                #expect(try importer.importDevice("1-1").record != nil)
                try importer.send(importer.peer.setConfiguration(1, 1))
                _ = try importer.replies(1)
                // More than both socket buffers hold; nothing is read from here on, as in a VM that is paused.
                var batch = ByteBuffer()
                for number in 2..<1026 as Range<UInt32> {
                    importer.peer.in(number, length: 16 << 10).write(to: &batch)
                }
                _ = importer.sendUntilFull(Array(batch.readableBytesView), quiet: 100)
                paused.append(importer)
            }
            try await strict.eventually("the strict exporter takes its device back") {
                strict.events.contains { if case .importerDetached = $0 { true } else { false } }
            }
            #expect(!patient.events.contains { if case .importerDetached = $0 { true } else { false } })
            #expect(try !paused[1].receive().isEmpty)
            try await strict.stop()
            try await patient.stop()
        }

        /// The median of 200 control transfers.
        private func roundTrips(_ importer: BlockingImporter, _ number: inout UInt32) throws -> Duration {
            var times: [Duration] = []
            for _ in 0..<200 {
                number += 1
                let start = ContinuousClock.now
                try importer.send(importer.peer.getDescriptor(number, 1, length: 18))
                _ = try importer.replies(1)
                times.append(ContinuousClock.now - start)
            }
            return times.sorted()[100]
        }
    }
}
