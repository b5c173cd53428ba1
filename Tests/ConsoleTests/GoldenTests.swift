import ControlProtocol
import SnapshotFixtures
import Testing

@testable import Console

/// Whole screens against files.
@Suite struct GoldenTests {
    static let sizes = [(200, 60), (120, 36), (80, 24), (60, 15), (40, 12), (20, 5), (19, 4)]

    /// The console with the keyboard of web-02 selected and watched.
    static func watching(_ columns: Int, _ rows: Int) -> ConsoleModel {
        var model = console(columns, rows)
        model.stand(on: .device("combo-kbd"))
        _ = model.update(.traffic(Harbour.traffic))
        return model
    }

    @Test(arguments: sizes) func tier(_ columns: Int, _ rows: Int) throws {
        try expectGolden(Self.watching(columns, rows), "tier-\(columns)x\(rows)")
    }

    @Test(arguments: sizes) func start(_ columns: Int, _ rows: Int) throws {
        try expectGolden(console(columns, rows), "start-\(columns)x\(rows)")
    }

    @Test func asciiMono() throws {
        try expectGolden(Self.watching(120, 36), "ascii-mono-120x36", glyphs: .ascii, mono: true)
    }

    @Test func blocks() throws {
        try expectGolden(Self.watching(80, 24), "blocks-80x24", glyphs: .blocks)
    }

    @Test func interfaceOff() throws {
        var model = console(120, 36)
        model.stand(on: .interface(device: "combo-kbd", name: "mouse"))
        try expectGolden(model, "interface-off-120x36")
    }

    @Test func armedUnplug() throws {
        var model = Self.watching(120, 36)
        model.press(.character("u"))
        try expectGolden(model, "armed-120x36")
    }

    @Test func plugDevice() throws {
        var model = console(120, 36)
        model.press(.character("p"))
        try expectGolden(model, "plug-device-120x36")
    }

    @Test func plugVM() throws {
        var model = console(80, 24)
        model.stand(on: .device("desk"))
        model.press(.character("p"))
        try expectGolden(model, "plug-vm-80x24")
    }

    @Test(arguments: [(120, 36), (60, 15)]) func board(_ columns: Int, _ rows: Int) throws {
        var model = console(columns, rows)
        _ = model.update(.snapshot(Harbour.emulating()))
        model.stand(on: .device("blinker"))
        model.press(.character("b"))
        try expectGolden(model, "board-\(columns)x\(rows)")
    }

    @Test func boardOfACrashedChip() throws {
        var model = console(120, 36)
        let fault = "jump to 0xf0000000, which holds no code at 0xf0000000\nr0=0x00000000 r1=0x20000010"
        _ = model.update(.snapshot(Harbour.emulating(fault: fault)))
        model.stand(on: .device("blinker"))
        model.press(.character("b"))
        try expectGolden(model, "board-fault-120x36")
    }

    @Test func emulatedDevice() throws {
        var model = console(120, 36)
        _ = model.update(.snapshot(Harbour.emulating()))
        model.stand(on: .device("blinker"))
        try expectGolden(model, "emulated-120x36")
    }

    @Test func help() throws {
        var model = Self.watching(120, 36)
        model.press(.character("?"))
        try expectGolden(model, "help-120x36")
    }

    @Test func helpSearchSmall() throws {
        var model = Self.watching(60, 15)
        model.press(.character("?"))
        model.type("plug")
        try expectGolden(model, "help-search-60x15")
    }

    @Test func filter() throws {
        var model = console(80, 24)
        model.press(.character("/"))
        model.type("state:lost")
        try expectGolden(model, "filter-80x24")
    }

    @Test func command() throws {
        var model = console(80, 24)
        model.press(.character(":"))
        model.type("plug de")
        try expectGolden(model, "command-80x24")
    }

    @Test func frozen() throws {
        var model = Self.watching(120, 36)
        model.press(.character("z"))
        var later = Harbour.snapshot()
        later.time += 2
        later.devices = Harbour.devices(moved: 102)
        _ = model.update(.snapshot(later))
        try expectGolden(model, "frozen-120x36")
    }

    @Test func engineLost() throws {
        var model = Self.watching(120, 36)
        _ = model.update(.connection(.lost(reason: "connection refused", retryAt: Harbour.now + 15)))
        _ = model.update(.tick(Harbour.now + 12))
        try expectGolden(model, "engine-lost-120x36")
    }

    @Test func connecting() throws {
        var model = ConsoleModel()
        _ = model.update(.resize(columns: 80, rows: 24))
        _ = model.update(.connection(.lost(reason: "/run/2virt/engine.sock: no such file", retryAt: 3)))
        try expectGolden(model, "no-engine-80x24")
    }

    @Test func noVMs() throws {
        var model = console(80, 24)
        var snapshot = Harbour.snapshot()
        snapshot.vms = []
        snapshot.devices = snapshot.devices.filter { $0.state == .unplugged }
        snapshot.faults = []
        _ = model.update(.snapshot(snapshot))
        try expectGolden(model, "no-vms-80x24")
    }

    @Test func quit() throws {
        var model = console(80, 24)
        model.press(.character("q"))
        try expectGolden(model, "quit-80x24")
    }

    @Test func theme() throws {
        var model = console(80, 24)
        model.press(.character("t"))
        try expectGolden(model, "theme-80x24")
    }

    @Test func readOnlyZoomed() throws {
        var model = console(120, 36, readOnly: true)
        model.press(.character("+"))
        try expectGolden(model, "read-only-zoom-120x36")
    }

    @Test func eventsSmall() throws {
        var model = console(60, 15)
        model.press(.character("4"))
        try expectGolden(model, "events-60x15")
    }

    @Test func trafficHeld() throws {
        var model = Self.watching(60, 15)
        model.press(.character("3"), .up, .up)
        try expectGolden(model, "traffic-held-60x15")
    }

    @Test func firstSteps() throws {
        let model = console(80, 24, firstSteps: "Welcome: press p to plug the demo device into the VM, ? for all keys")
        try expectGolden(model, "first-steps-80x24")
    }

    // MARK: USB/IP

    /// The console of the night with an exporter, at a device.
    static func exporting(_ columns: Int, _ rows: Int, at device: String) -> ConsoleModel {
        var model = console(columns, rows)
        _ = model.update(.snapshot(Harbour.exporting()))
        model.stand(on: .device(device))
        return model
    }

    @Test(arguments: [(120, 36), (80, 24), (60, 15)]) func imported(_ columns: Int, _ rows: Int) throws {
        try expectGolden(Self.exporting(columns, rows, at: "recorder"), "imported-\(columns)x\(rows)")
    }

    @Test func pluggedOverUSBIP() throws {
        try expectGolden(Self.exporting(120, 36, at: "card-reader"), "plugged-usbip-120x36")
    }

    @Test func plugVMByUSBIP() throws {
        var model = Self.exporting(120, 36, at: "desk")
        model.press(.character("p"), .tab)
        try expectGolden(model, "plug-usbip-120x36")
    }

    @Test func theLineToTypeIsShown() throws {
        var model = Self.exporting(80, 24, at: "desk")
        model.press(.character("p"), .tab)
        model.type("web-01")
        try expectGolden(model, "plug-usbip-line-80x24")
    }

    @Test func aGuestOfAnotherHost() throws {
        var model = Self.exporting(120, 36, at: "desk")
        model.stand(on: .vm("watch:far-guest"))
        try expectGolden(model, "far-guest-120x36")
    }
}
