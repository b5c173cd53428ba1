import ControlProtocol
import TestDirectory
import Testing

@testable import Engine

/// Devices in the hands of USB/IP clients that nobody has told to take them.
@Suite(.timeLimit(.minutes(1)))
struct ImportTests {
    @Test func allDevicesAreExportedUnderStableBusIDs() async throws {
        try await Bench.exporting { bench, port in
            try await eventually("both") { try await FakeImporter.list(port: port) == ["1-1", "1-2"] }
            let export = try #require(await bench.device().export)
            #expect(export.busID == "1-1")
            #expect(export.listeners.map(\.address) == ["127.0.0.1:\(port)"])
            #expect(export.listeners.first?.allow == ["127.0.0.0/8", "::1/128"])
            #expect(export.attachLine == "2virt-guest attach 10.0.2.2:\(port) 1-1")
            #expect(export.importer == nil)
        }
    }

    @Test func anImporterIsShownAndItsEndToo() async throws {
        try await Bench.exporting { bench, port in
            let importer = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("imported") { $0.state == .imported && $0.guest == .configured }
            let device = await bench.device()
            #expect(device.attachment == nil)
            let holder = try #require(device.export?.importer)
            #expect(holder.peer == importer.localAddress)
            #expect(holder.guest == nil)
            #expect(holder.since > 1_700_000_000)
            let time = try #require(holder.roundTrip)
            #expect(time < 1)
            let offered1 = try await FakeImporter.list(port: port)
            #expect(offered1 == ["1-2"])
            #expect(await bench.engine.snapshot().engine.exporter?.imports == 1)
            #expect(await bench.engine.snapshot().engine.exporter?.connections ?? 0 >= 1)
            await importer.close()
            try await bench.reaches("released") { $0.state == .unplugged && $0.importer == nil }
            #expect(
                await bench.events("imported").map { "\($0.actor) \($0.message)" } == [
                    "\(importer.localAddress) imported over USB/IP"
                ])
            #expect(
                await bench.events("released").map { "\($0.actor) \($0.message)" } == [
                    "\(importer.localAddress) no longer imported: the importer closed the connection"
                ])
            // And again.
            let next = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("imported again") { $0.state == .imported }
            await next.close()
        }
    }

    @Test func aSecondImporterIsRefusedWithItsAddress() async throws {
        try await Bench.exporting { bench, port in
            let first = try await FakeImporter.take("1-1", port: port)
            await #expect(throws: FakeImporter.Refused(status: .notAvailable)) {
                _ = try await FakeImporter.take("1-1", port: port)
            }
            try await eventually("event") { await !bench.events("usbip-refused").isEmpty }
            let event = try #require(await bench.events("usbip-refused").first)
            #expect(event.actor.hasPrefix("127.0.0.1:"))
            #expect(event.message == "USB/IP refused to \(event.actor): desk is held by \(first.localAddress)")
            #expect(await bench.engine.snapshot().engine.exporter?.refusals == 1)
            await first.close()
        }
    }

    @Test func aDeviceIsInOnePlaceOnly() async throws {
        try await Bench.exporting { bench, port in
            #expect(await bench.plug("desk").isDone)
            await bench.engine.flushOffers()
            let offered2 = try await FakeImporter.list(port: port)
            #expect(offered2 == ["1-2"])
            await #expect(throws: FakeImporter.Refused.self) { _ = try await FakeImporter.take("1-1", port: port) }
            #expect(await bench.device().state == .plugged)
            #expect(await bench.unplug("desk").isDone)
            await bench.engine.flushOffers()
            let importer = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("imported") { $0.state == .imported }
            #expect(
                await bench.plug("desk")
                    == .failed("desk is imported by \(importer.localAddress); unplug it there first"))
            await importer.close()
        }
    }

    @Test func unplugDropsAnImporter() async throws {
        try await Bench.exporting { bench, port in
            let importer = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("imported") { $0.state == .imported }
            #expect(await bench.unplug("desk") == .done("desk unplugged from \(importer.localAddress)"))
            try await eventually("closed") { !importer.isOpen }
            #expect(await bench.device().state == .unplugged)
            let offered3 = try await FakeImporter.list(port: port)
            #expect(offered3 == ["1-1", "1-2"])
        }
    }

    @Test func theGuestsFarewellDropsItsImport() async throws {
        try await Bench.exporting { bench, port in
            let importer = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("configured") { $0.guest == .configured }
            try await importer.setConfiguration(0)
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            try await eventually("closed") { !importer.isOpen }
            #expect(await bench.events("guest-removed").count == 1)
        }
    }

    @Test func anInterfaceSwitchedWhileImportedSaysWhatToType() async throws {
        try await Bench.exporting { bench, port in
            let importer = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("configured") { $0.guest == .configured }
            let outcome = await bench.set("desk", "log", .off)
            #expect(outcome.isDone)
            #expect(
                outcome.text == "desk/log switched off; USB/IP cannot tell \(importer.localAddress) to look again; "
                    + "type in the guest: 2virt-guest attach 10.0.2.2:\(port) 1-1")
            try await eventually("closed") { !importer.isOpen }
            try await bench.reaches("unplugged") { $0.state == .unplugged }
            #expect(await bench.device().interface("log")?.gate == .off)
            #expect(await bench.events("interface-off").map(\.severity) == [.warning])
        }
    }

    @Test func aMutedInterfaceStaysWhereItIs() async throws {
        try await Bench.exporting { bench, port in
            let importer = try await FakeImporter.take("1-1", port: port)
            try await bench.reaches("configured") { $0.guest == .configured }
            #expect(await bench.set("desk", "log", .muted).isDone)
            #expect(importer.isOpen)
            #expect(await bench.device().state == .imported)
            await importer.close()
        }
    }

    @Test func aDeviceSaysWhetherAndToWhomItIsExported() async throws {
        let devices = """
            [usbip]
            listen = ["127.0.0.1:0"]
            [[device]]
            name = "kept"
            usbip = { export = false }
            interfaces = [ { kind = "serial", to = "pty" } ]
            [[device]]
            name = "far"
            usbip = { allow = ["10.9.0.0/16"] }
            interfaces = [ { kind = "serial", to = "pty" } ]
            [[device]]
            name = "near"
            interfaces = [ { kind = "serial", to = "pty" } ]
            """
        try await Bench.exporting(devices: devices) { bench, port in
            await bench.engine.flushOffers()
            let offered4 = try await FakeImporter.list(port: port)
            #expect(offered4 == ["1-3"])
            await #expect(throws: FakeImporter.Refused(status: .noDevice)) {
                _ = try await FakeImporter.take("1-2", port: port)
            }
            #expect(await bench.device("kept").export == nil)
            #expect(await bench.device("far").export?.listeners.first?.allow == ["10.9.0.0/16"])
            #expect(
                await bench.plugByUSBIP("kept")
                    == .failed("kept is not exported: its configuration says usbip.export = false"))
        }
    }

    @Test func busIDsOutliveTheConfiguration() async throws {
        let directory = try TemporaryDirectory()
        func devices(_ names: String...) -> String {
            "[usbip]\nlisten = [\"127.0.0.1:0\"]\n"
                + names.map { "[[device]]\nname = \"\($0)\"\ninterfaces = [ { kind = \"serial\", to = \"pty\" } ]\n" }
                .joined()
        }
        try await Bench.exporting(devices: devices("x", "y"), in: directory) { bench, _ in
            #expect(await bench.device("y").export?.busID == "1-2")
        }
        try await Bench.exporting(devices: devices("z", "y"), in: directory) { bench, _ in
            #expect(await bench.device("y").export?.busID == "1-2")
            #expect(await bench.device("z").export?.busID == "1-3")
        }
        try await Bench.exporting(devices: devices("x", "z"), in: directory) { bench, _ in
            #expect(await bench.device("x").export?.busID == "1-1")
            #expect(await bench.device("z").export?.busID == "1-3")
        }
    }

    @Test func anAddressInUseStopsOnlyTheExporter() async throws {
        try await Bench.exporting { _, port in
            let devices = "[usbip]\nlisten = [\"127.0.0.1:\(port)\"]\n" + Bench.devices
            try await Bench.run(devices: devices) { bench in
                #expect(await bench.plug("desk").isDone)
                #expect(await bench.events("exporter-trouble").count == 1)
                let fault = try #require(await bench.engine.snapshot().faults.first)
                #expect(fault.message.hasPrefix("nothing can be imported over USB/IP: "))
                #expect(await bench.plugByUSBIP("pad").text.hasPrefix("nothing can be imported over USB/IP: "))
            }
        }
    }

    @Test func withoutListenersNothingIsExported() async throws {
        try await Bench.run { bench in
            #expect(await bench.device().export == nil)
            #expect(await bench.engine.snapshot().engine.exporter == nil)
            #expect(
                await bench.plugByUSBIP()
                    == .failed("there is no USB/IP exporter: name addresses in the configuration, [usbip] listen"))
        }
    }
}
