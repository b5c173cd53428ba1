import ControlProtocol
import SnapshotFixtures
import Testing

@testable import Console

/// Plugging by choosing, filtering, and the command line.
@Suite struct ChooserTests {
    func vmRows(_ model: ConsoleModel) -> [ChooserRow] {
        guard case .plug(let chooser) = model.mode else { return [] }
        return model.rows(of: chooser)
    }

    @Test func everyRefusalHasItsReason() {
        var model = console(120, 36)
        model.stand(on: .device("desk"))
        model.press(.character("p"))
        let reasons = Dictionary(uniqueKeysWithValues: vmRows(model).map { ($0.name, $0.reason) })
        #expect(reasons["web-02"] == .some(nil))
        #expect(reasons["kiosk-11"] == "lost: read: reset by peer")
        #expect(reasons["till-02"] == "unreachable: QMP greeting timed out")
        #expect(reasons["db-01"] == "no free USB port (4 of 4 in use)")
        #expect(reasons["no-usb"] == "no USB controller; add one: -device qemu-xhci")
        #expect(reasons["spare-01"] == "guest is shut down")
    }

    @Test func aSpeedThatNoFreePortTakesIsAReason() {
        var device = Harbour.devices(moved: 1)[8]
        device.attachment = Attachment(vm: "old", via: .usbredir, speed: "super")
        let slow = ControllerSnapshot(id: "ehci.0", model: "usb-ehci", speeds: ["high"], ports: 6, freePorts: 6)
        let vm = Harbour.vm("old", controllers: [slow])
        #expect(console(80, 24).plugReason(device, into: vm) == "device is super speed; free ports take high")
    }

    @Test func theSelectedVMIsOffered() {
        var model = console(120, 36)
        model.stand(on: .vm("id-web-01"))
        model.press(.character("p"))
        model.type("desk")
        #expect(vmRows(model).map(\.name) == ["desk"])
        model.press(.enter)
        #expect(commands(model.press(.enter)) == [.plug(device: "desk", vm: "web-01", via: .usbredir)])
        #expect(model.mode == .panes)
    }

    @Test func typingFindsAVMAndTabChangesTheWire() {
        var model = console(80, 24)
        model.stand(on: .device("desk"))
        model.press(.character("p"))
        model.type("web-02")
        #expect(commands(model.press(.tab, .enter)).isEmpty)
        model = GoldenTests.exporting(80, 24, at: "desk")
        model.press(.character("p"))
        model.type("web-02")
        #expect(commands(model.press(.tab, .enter)) == [.plug(device: "desk", vm: "web-02", via: .usbip)])
    }

    @Test func everyRefusalOfUSBIPHasItsReason() {
        var model = console(120, 36)
        model.stand(on: .device("desk"))
        model.press(.character("p"), .tab)
        #expect(
            Set(vmRows(model).filter { $0.name.hasPrefix("web") }.map(\.reason)) == [
                "no USB/IP exporter; configure [usbip] listen"
            ])
        model = GoldenTests.exporting(120, 36, at: "desk")
        model.press(.character("p"), .tab)
        let rows = Dictionary(uniqueKeysWithValues: vmRows(model).map { ($0.name, $0) })
        #expect(rows["web-02"]?.note == "its 2virt-guest watch attaches it")
        #expect(rows["build-03"]?.note == "its guest agent attaches it")
        #expect(rows["far-guest"]?.reason == nil)
        #expect(rows["web-01"]?.reason == "type in the guest: 2virt-guest attach 10.0.2.2 1-9")
        #expect(rows["build-04"]?.reason == "paused: its guest cannot attach anything")
        #expect(rows["no-usb"]?.reason == "type in the guest: 2virt-guest attach 10.0.2.2 1-9")
        #expect(rows["kiosk-11"]?.reason == "lost: read: reset by peer")
        model.press(.tab)
        #expect(vmRows(model).first { $0.name == "far-guest" }?.reason == "not a VM of this host; Tab: by USB/IP")
    }

    @Test func anImporterIsPulledLikeAnyDevice() {
        var model = GoldenTests.exporting(120, 36, at: "recorder")
        model.press(.character("u"))
        #expect(model.armed?.question.contains("192.0.2.7:51234 loses 1 interface at once") == true)
        #expect(commands(model.press(.character("u"))) == [.unplug(device: "recorder")])
    }

    @Test func aRowThatCannotBeTakenSaysWhy() {
        var model = console(120, 36)
        model.stand(on: .device("desk"))
        model.press(.character("p"))
        model.type("kiosk-11")
        let effects = model.press(.enter)
        #expect(effects == [.bell])
        #expect(model.render().text.contains("kiosk-11: lost: read: reset by peer"))
        model.press(.escape, .escape)
        #expect(model.mode == .panes)
    }

    @Test func theCommandLettersOfPanesAreTextInAChooser() {
        var model = console(120, 36)
        model.press(.character("p"))
        #expect(model.type("quUze!").isEmpty)
        guard case .plug(let chooser) = model.mode else {
            Issue.record("the chooser went away")
            return
        }
        #expect(chooser.editor.text == "quUze!")
    }

    @Test(arguments: [
        ("web", 2), ("state:lost", 1), ("!state:running", 4), ("kiosk !12", 2), ("cpu>20", 3), ("rate>100k", 1),
        ("zzz", 0),
    ]) func filters(_ text: String, _ count: Int) {
        var model = console(120, 36)
        model.press(.character("/"))
        model.type(text)
        let named = model.places().filter { place in
            guard case .vm(let id) = place else { return false }
            return model.filters[.vms]?.matches(model.facts(model.live.vm(id) ?? Harbour.vm(""))) ?? false
        }
        #expect(named.count == count)
        model.press(.enter)
        #expect(model.filters[.vms]?.text == text)
        model.press(.escape)
        #expect(model.filters[.vms] == nil)
    }

    @Test(arguments: ["nope:1", "rate>x", "size<3", "rate>"]) func wrongFiltersSayWhatIsAllowed(_ text: String) {
        var model = console(120, 36)
        model.press(.character("/"))
        model.type(text)
        let canvas = model.render()
        #expect(model.filters[.vms]?.error != nil)
        #expect(canvas[2, 34].role == .bad)
        #expect(canvas.text.contains(model.filters[.vms]?.error?.prefix(20) ?? "?"))
    }

    @Test func aCancelledFilterLeavesTheOneBefore() {
        var model = console(120, 36)
        model.press(.character("/"))
        model.type("web")
        model.press(.enter, .character("/"), .control("u"))
        model.type("db")
        model.press(.escape)
        #expect(model.filters[.vms]?.text == "web")
    }

    @Test func commandsAreTheSameVerbs() {
        func run(_ line: String) -> ([Command], ConsoleModel) {
            var model = console(120, 36)
            model.press(.character(":"))
            model.type(line)
            return (commands(model.press(.enter)), model)
        }
        #expect(run("plug desk web-01").0 == [.plug(device: "desk", vm: "web-01", via: .usbredir)])
        #expect(
            run("plug desk web-01 usbip").1.notice?.text == "plug desk: no USB/IP exporter; configure [usbip] listen")
        #expect(run("unplug combo-kbd").0 == [.unplug(device: "combo-kbd")])
        #expect(run("eject disk-lun0").0 == [.eject(device: "disk-lun0")])
        #expect(run("enable combo-kbd mouse").0 == [.setInterface(device: "combo-kbd", interface: "mouse", gate: .on)])
        #expect(
            run("disable combo-kbd vendor").0 == [.setInterface(device: "combo-kbd", interface: "vendor", gate: .off)])
        #expect(
            run("mute combo-kbd vendor").0 == [.setInterface(device: "combo-kbd", interface: "vendor", gate: .muted)])
        #expect(run("plug desk nowhere").1.notice?.text == "no VM 'nowhere'")
        #expect(run("plug desk db-01").1.notice?.text == "plug desk: no free USB port (4 of 4 in use)")
        #expect(run("unplug").1.notice?.text == "usage: unplug DEVICE")
        #expect(run("frobnicate").1.notice?.text.hasPrefix("no command 'frobnicate'") == true)
        #expect(run("").0.isEmpty)
    }

    @Test func tabCompletesCommands() {
        var model = console(120, 36)
        model.press(.character(":"))
        model.type("pl")
        model.press(.tab)
        model.type("d")
        model.press(.tab)
        model.type("web-")
        model.press(.tab)
        guard case .command(let prompt) = model.mode else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.editor.text == "plug desk web-0")
        #expect(CommandLine.candidates(prompt.editor.text, model) == ["web-01", "web-02"])
    }

    @Test func historyComesBack() {
        var model = console(120, 36)
        model.press(.character(":"))
        model.type("theme mono")
        #expect(model.press(.enter) == [.loadTheme("mono")])
        model.press(.character(":"), .up)
        guard case .command(let prompt) = model.mode else {
            Issue.record("no prompt")
            return
        }
        #expect(prompt.editor.text == "theme mono")
    }
}
