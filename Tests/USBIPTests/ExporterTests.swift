import Foundation
import NIOCore
import Testing
import USBCore
import USBDevice
import USBIP
import USBIPCodec
import USBIPTestKit

extension RealSocketTests {
    /// PROTOCOLS section 2 on real sockets: op phase, busy devices, release, exposure.
    @Suite("USB/IP exporter")
    struct ExporterTests {
        // MARK: Op phase

        @Test func listNamesDevicesInOrderWithoutInterfacesWhileUnconfigured() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("second", number: 2, speed: .super)
            _ = try await real.publish("first", number: 1)
            let devices = try #require(try BlockingImporter(port: real.port).operation(.listDevices).devices)
            #expect(devices.map(\.record.busID.description) == ["1-1", "1-2"])
            #expect(devices.map(\.record.path) == ["/2virt/first", "/2virt/second"])
            #expect(devices.map(\.record.speed) == [.high, .super])
            #expect(devices.map(\.interfaces.count) == [0, 0])
            #expect(devices.map(\.record.interfaceCount) == [0, 0])
            #expect(devices.first?.record.idVendor == 0x1209)
            try await real.stop()
        }

        @Test func connectionServesOneListAndEnds() async throws {
            let real = try await RealExporter()
            let client = try BlockingImporter(port: real.port)
            #expect(try client.operation(.listDevices).devices?.isEmpty == true)
            #expect(try client.isAtEnd())
            try await real.stop()
        }

        /// renode#973: one connection at a time.
        @Test func manyConnectionsAreServedAtOnce() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk")
            let idle = try (0..<20).map { _ in try BlockingImporter(port: real.port) }
            let importer = try BlockingImporter(port: real.port)
            #expect(try importer.importDevice("1-1").record != nil)
            #expect(try BlockingImporter(port: real.port).operation(.listDevices).devices?.isEmpty == true)
            #expect(try await device.onLoop { $0.isConnected })
            #expect(idle.count == 20)
            try await real.stop()
        }

        @Test func importByBusIDServesURBsOnTheSameConnection() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk") { $0.sourceFill = 0x42 }
            let importer = try BlockingImporter(port: real.port)
            let record = try #require(try importer.importDevice("1-1").record)
            #expect(record.busID.description == "1-1")
            #expect(record.deviceID == 0x0001_0001)
            try importer.send(importer.peer.getDescriptor(1, 1, length: 64))
            #expect(try importer.replies(1) == [reply(1, .success, device.descriptor)])
            try importer.send(importer.peer.setConfiguration(2, 1), importer.peer.in(3, length: 3))
            #expect(try importer.replies(2) == [reply(2), reply(3, .success, [0x42, 0x42, 0x42])])
            try await real.stop()
        }

        @Test func importByNameEchoesTheNameThatWasAsked() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            #expect(try importer.importDevice("desk").record?.busID.description == "desk")
            try await real.stop()
        }

        @Test func requestsSentBehindTheImportAreNotLost() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            var bytes = ByteBuffer()
            OperationRequest.importDevice(try #require(BusID("1-1"))).write(to: &bytes)
            let request = ImporterPeer(deviceID: 0x0001_0001).getDescriptor(1, 1, length: 18)
            request.write(to: &bytes)
            try importer.send(bytes.readableBytesView)
            #expect(try importer.operationReply().record != nil)
            importer.note(request)
            #expect(try importer.replies(1) == [reply(1, .success, device.descriptor)])
            try await real.stop()
        }

        @Test func requestInPiecesIsUnderstood() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            var bytes = ByteBuffer()
            OperationRequest.importDevice(try #require(BusID("1-1"))).write(to: &bytes)
            for byte in bytes.readableBytesView { try importer.send([byte]) }
            #expect(try importer.operationReply().record != nil)
            try await real.stop()
        }

        @Test func unknownDeviceGetsStatus4AndNothingElse() async throws {
            let real = try await RealExporter()
            let importer = try BlockingImporter(port: real.port)
            #expect(try importer.importDevice("9-9").status == .noDevice)
            #expect(try importer.isAtEnd())
            #expect(real.refusals == ["there is no device 9-9"])
            try await real.stop()
        }

        @Test func unknownVersionIsDropped() async throws {
            let real = try await RealExporter()
            let importer = try BlockingImporter(port: real.port)
            try importer.send([0x01, 0x06, 0x80, 0x05, 0, 0, 0, 0])
            #expect(try importer.isAtEnd())
            #expect(real.refusals == ["USB/IP: version 0x106 is not spoken; 0x0111 is"])
            try await real.stop()
        }

        /// jiegec panics on a URB before an import.
        @Test func urbBeforeAnImportIsDropped() async throws {
            let real = try await RealExporter()
            let importer = try BlockingImporter(port: real.port)
            try importer.send([importer.peer.in(1, length: 4)].bytes)
            #expect(try importer.isAtEnd())
            #expect(real.refusals.count == 1)
            try await real.stop()
        }

        // MARK: Busy devices

        @Test func importedDeviceIsHiddenAndBusyForOthersAndFreeAfterwards() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk")
            let holder = try BlockingImporter(port: real.port)
            #expect(try holder.importDevice("1-1").record != nil)
            #expect(try BlockingImporter(port: real.port).operation(.listDevices).devices?.isEmpty == true)
            let second = try BlockingImporter(port: real.port)
            #expect(try second.importDevice("1-1").status == .notAvailable)
            let peer = try #require(real.exporter.importer(of: "1-1")?.peer)
            #expect(real.refusals == ["desk is held by \(peer)"])
            holder.close()
            try await real.eventually("free again") { try await !device.onLoop { $0.isConnected } }
            #expect(try BlockingImporter(port: real.port).operation(.listDevices).devices?.count == 1)
            #expect(try BlockingImporter(port: real.port).importDevice("1-1").record != nil)
            try await real.stop()
        }

        @Test func deviceInAnotherWireIsHiddenAndBusy() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk")
            let host = try await device.exported.eventLoop.submit {
                let host = OtherHost()
                try device.exported.port.value.connect(to: host, speed: .high)
                return NIOLoopBound(host, eventLoop: device.exported.eventLoop)
            }.get()
            #expect(try BlockingImporter(port: real.port).operation(.listDevices).devices?.isEmpty == true)
            #expect(try BlockingImporter(port: real.port).importDevice("1-1").status == .notAvailable)
            #expect(real.exporter.importer(of: "1-1") == nil)
            try await device.exported.eventLoop.submit { #expect(host.value.completions == 0) }.get()
            try await real.stop()
        }

        @Test func whenManyRaceOneWinsAndTheOthersAreTold() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            let port = real.port
            let results = try await withThrowingTaskGroup(of: (BlockingImporter.Kept, Bool, OperationStatus?).self) {
                group in
                for _ in 0..<8 {
                    group.addTask {
                        let importer = try BlockingImporter(port: port)
                        let reply = try importer.importDevice("1-1")
                        return (BlockingImporter.Kept(importer), reply.record != nil, reply.status)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.count { $0.1 } == 1)
            #expect(results.count { $0.2 == .notAvailable } == 7)
            try await real.stop()
        }

        // MARK: Release

        @Test func everyWayAConnectionEndsFreesTheDevice() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk") { $0.takesOut = true }
            let ways: [(String, (BlockingImporter) throws -> Void)] = [
                ("close", { $0.close() }), ("reset", { $0.reset() }),
                (
                    "half of a request",
                    {
                        try $0.send([0, 0, 0, 1, 0, 0]); $0.close()
                    }
                ),
                ("garbage", { try $0.send([UInt8](repeating: 0xFF, count: 48)) }),
                (
                    "16 URBs in flight",
                    { importer in
                        for number in 10..<26 as Range<UInt32> {
                            try importer.send(importer.peer.in(number, length: 64))
                        }
                        importer.reset()
                    }
                ),
                (
                    "32 OUT in flight",
                    { importer in
                        for number in 10..<42 as Range<UInt32> {
                            try importer.send(importer.peer.out(number, 1, [UInt8](repeating: 1, count: 512)))
                        }
                        importer.close()
                    }
                ),
            ]
            for (round, way) in ways.enumerated() {
                let importer = try BlockingImporter(port: real.port)
                try #require(try importer.importDevice("1-1").record != nil, "\(way.0)")
                try importer.send(importer.peer.setConfiguration(1, 1))
                _ = try importer.replies(1)
                try way.1(importer)
                try await real.eventually(way.0) {
                    real.events.count { if case .importerDetached = $0 { true } else { false } } == round + 1
                }
                #expect(try await device.onLoop { !$0.isConnected && $0.parked.isEmpty }, "\(way.0)")
            }
            try await real.stop()
        }

        @Test func releaseUnplugsTheImporterWhichIsToldOfItsURBs() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            _ = try importer.importDevice("1-1")
            try importer.send(importer.peer.setConfiguration(1, 1), importer.peer.in(2, length: 4))
            _ = try importer.replies(1)
            #expect(await real.exporter.release(busID: "1-1", reason: "unplugged by the operator"))
            #expect(try importer.replies(1) == [reply(2, .shutdown)])
            #expect(try importer.isAtEnd())
            #expect(real.events.last == .importerDetached(busID: "1-1", reason: "unplugged by the operator"))
            #expect(await !real.exporter.release(busID: "1-1", reason: "again"))
            #expect(try BlockingImporter(port: real.port).importDevice("1-1").record != nil)
            try await real.stop()
        }

        @Test func withdrawnDeviceIsOutAndUnknown() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            _ = try importer.importDevice("1-1")
            await real.exporter.withdraw(busID: "1-1")
            #expect(try importer.isAtEnd())
            #expect(try BlockingImporter(port: real.port).importDevice("1-1").status == .noDevice)
            try await real.stop()
        }

        @Test func stopEndsEverything() async throws {
            let real = try await RealExporter()
            let device = try await real.publish("desk")
            let importer = try BlockingImporter(port: real.port)
            _ = try importer.importDevice("1-1")
            let idle = try BlockingImporter(port: real.port)
            let port = real.port
            _ = try BlockingImporter(port: port).operation(.listDevices)
            await real.exporter.stop()
            #expect(try importer.isAtEnd())
            #expect(try idle.isAtEnd())
            #expect(try await !device.onLoop { $0.isConnected })
            #expect(throws: BlockingImporter.Failure.self) { try BlockingImporter(port: port) }
            try await real.stop()
        }

        @Test func eventsNameTheImporter() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            let before = Date().timeIntervalSince1970
            let importer = try BlockingImporter(port: real.port)
            _ = try importer.importDevice("1-1")
            guard case .importerAttached(busID: "1-1", let info)? = real.events.first else {
                Issue.record("\(real.events)")
                return
            }
            #expect(info.peer.hasPrefix("127.0.0.1:"))
            #expect(info.listener == "127.0.0.1:0")
            #expect((before - 1...before + 30).contains(info.since))
            #expect(real.exporter.importer(of: "1-1") == info)
            try await real.stop()
        }

        @Test func roundTripTimeIsTheSockets() async throws {
            let real = try await RealExporter()
            _ = try await real.publish("desk")
            #expect(await real.exporter.roundTripTime(of: "1-1") == nil)
            let importer = try BlockingImporter(port: real.port)
            _ = try importer.importDevice("1-1")
            try importer.send(importer.peer.getDescriptor(1, 1, length: 18))
            _ = try importer.replies(1)
            let time = try #require(await real.exporter.roundTripTime(of: "1-1"))
            #expect(time > .zero && time < .seconds(5))
            await real.exporter.sampleRoundTrips()
            guard case .roundTrip(busID: "1-1", _)? = real.events.last else {
                Issue.record("\(real.events)")
                return
            }
            try await real.stop()
        }
    }
}

/// Another wire.
private final class OtherHost: TransferHost {
    var completions = 0
    func port(_ port: DevicePort, completed completion: TransferCompletion) { completions += 1 }
    func portWantsReconnect(_ port: DevicePort) {}
}

extension BlockingImporter {
    /// Kept open until the test ends, by one task at a time.
    struct Kept: @unchecked Sendable {
        let importer: BlockingImporter
        init(_ importer: BlockingImporter) { self.importer = importer }
    }
}

extension RealExporter.Device {
    fileprivate var descriptor: [UInt8] {
        ScriptedFirmware().enumeration(at: exported.speed).device.bytes
    }
}
