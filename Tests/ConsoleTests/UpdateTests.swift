import ControlProtocol
import SnapshotFixtures
import Testing

@testable import Console

/// What keys and news do to the model.
@Suite struct UpdateTests {
    let keyboard = ObjectID.device("combo-kbd")
    let mouse = ObjectID.interface(device: "combo-kbd", name: "mouse")
    let keys = ObjectID.interface(device: "combo-kbd", name: "keyboard")

    @Test func spaceSwitchesAnInterface() {
        var model = console(120, 36)
        model.stand(on: mouse)
        #expect(
            commands(model.press(.character(" "))) == [
                .setInterface(device: "combo-kbd", interface: "mouse", gate: .on)
            ])
        model.stand(on: keys)
        #expect(
            commands(model.press(.character(" "))) == [
                .setInterface(device: "combo-kbd", interface: "keyboard", gate: .off)
            ])
    }

    @Test func statusSaysWhatSpaceWillDoBeforeItIsPressed() {
        var model = console(120, 36)
        model.stand(on: mouse)
        #expect(model.render().text.contains("space on: device re-enumerates, its other interfaces blink"))
    }

    @Test func spaceOnADeviceAsksThenSwitchesAll() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        #expect(commands(model.press(.character(" "))).isEmpty)
        #expect(model.armed?.question == "select an interface, or space again: all 2 of combo-kbd off")
        #expect(
            commands(model.press(.character(" "))) == [
                .setInterface(device: "combo-kbd", interface: "keyboard", gate: .off),
                .setInterface(device: "combo-kbd", interface: "vendor", gate: .off),
            ])
    }

    @Test func whatIsTypedAndPastedGoesToTheGuest() throws {
        var model = console(120, 36)
        model.stand(on: keyboard)
        #expect(model.disabledReason(.type) == "combo-kbd has no keyboard interface")
        #expect(commands(model.press(.character("i"))).isEmpty)

        var snapshot = try #require(model.live.snapshot)
        let device = try #require(snapshot.devices.firstIndex { $0.name == "combo-kbd" })
        let interface = try #require(snapshot.devices[device].interfaces.firstIndex { $0.name == "keyboard" })
        snapshot.devices[device].interfaces[interface].kind = "keyboard"
        _ = model.update(.snapshot(snapshot))
        #expect(model.disabledReason(.type) == nil)
        #expect(commands(model.press(.character("i"))).isEmpty)
        #expect(model.render().text.contains(" combo-kbd/keyboard>"))
        // A letter is text here, also one that is a command elsewhere.
        model.type("quit")
        #expect(model.render().text.contains("combo-kbd/keyboard> quit"))
        func type(_ text: String) -> [Command] {
            [.type(device: "combo-kbd", interface: "keyboard", text: text, layout: nil)]
        }
        #expect(commands(model.press(.enter)) == type("quit\n"))
        model.type("a ")
        #expect(commands(model.press(.paste("b\n\tc: 'd'\n"))) == type("a b\n\tc: 'd'\n"))
        #expect(commands(model.press(.enter)) == type("\n"))
        model.press(.escape)
        #expect(!model.render().text.contains("keyboard>"))
        model.press(.character(":"))
        model.type("type combo-kbd two  words")
        #expect(
            commands(model.press(.enter))
                == [.type(device: "combo-kbd", interface: nil, text: "two  words", layout: nil)])
        model.press(.character(":"))
        model.type("press combo-kbd ctrl+alt+delete")
        #expect(
            commands(model.press(.enter)) == [.press(device: "combo-kbd", interface: nil, keys: "ctrl+alt+delete")])
    }

    @Test func unplugTakesASecondPress() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        #expect(commands(model.press(.character("u"))).isEmpty)
        #expect(model.render().text.contains("unplug combo-kbd? u again, any other key: no."))
        #expect(commands(model.press(.character("u"))) == [.unplug(device: "combo-kbd")])
        #expect(model.armed == nil)
    }

    @Test func anyOtherKeyCallsUnplugOffAndDoesNothingElse() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        model.press(.character("u"), .down)
        #expect(model.armed == nil)
        #expect(model.object == keyboard)
        #expect(commands(model.press(.character("u"))).isEmpty)
    }

    @Test func unplugIsForgottenAfterThreeSeconds() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        model.press(.character("u"))
        _ = model.update(.tick(Harbour.now + 2.9))
        #expect(model.armed != nil)
        _ = model.update(.tick(Harbour.now + 3))
        #expect(model.armed == nil)
        #expect(commands(model.press(.character("u"))).isEmpty)
    }

    @Test func unpluggingADiskWarnsOfIt() {
        var model = console(120, 36)
        model.stand(on: .device("disk-lun0"))
        model.press(.character("u"))
        #expect(model.armed?.question.contains("DISK disk not ejected") == true)
    }

    @Test func ejectAsksTheGuest() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        #expect(commands(model.press(.character("e"))) == [.eject(device: "combo-kbd")])
        model.stand(on: .device("kiosk-printer"))
        #expect(commands(model.press(.character("e"))).isEmpty)
        #expect(model.notice?.text == "e: kiosk-printer is not in a guest")
    }

    @Test func undoTakesBackASwitchForThirtySeconds() {
        var model = console(120, 36)
        model.stand(on: mouse)
        let effects = model.press(.character(" "))
        guard case .send(let id, _)? = effects.first else {
            Issue.record("nothing sent")
            return
        }
        #expect(model.disabledReason(.undo) == "nothing to undo")
        _ = model.update(.reply(id: id, .done("")))
        #expect(model.disabledReason(.undo) == nil)
        var late = model
        _ = late.update(.tick(Harbour.now + 30))
        #expect(late.disabledReason(.undo) != nil)
        #expect(
            commands(model.press(.character("U"))) == [
                .setInterface(device: "combo-kbd", interface: "mouse", gate: .off)
            ])
        #expect(model.undos.isEmpty)
    }

    @Test func undoOfUnplugPlugsWhereItWas() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        guard case .send(let id, _)? = model.press(.character("u"), .character("u")).first else {
            Issue.record("nothing sent")
            return
        }
        _ = model.update(.reply(id: id, .done("unplugged")))
        #expect(
            commands(model.press(.character("U"))) == [.plug(device: "combo-kbd", vm: "web-02", via: .usbredir)])
    }

    @Test func aRefusalIsShownWithItsReason() {
        var model = console(120, 36)
        model.stand(on: mouse)
        guard case .send(let id, _)? = model.press(.character(" ")).first else {
            Issue.record("nothing sent")
            return
        }
        #expect(model.render().text.contains("switch combo-kbd/mouse on …"))
        #expect(model.update(.reply(id: id, .failed("guest holds the device; try again"))) == [.bell])
        #expect(model.render().text.contains("switch combo-kbd/mouse on: guest holds the device; try again"))
        #expect(model.undos.isEmpty)
    }

    @Test func readOnlyRefusesEveryVerb() {
        var model = console(120, 36, readOnly: true)
        model.stand(on: keyboard)
        for key in [" ", "p", "u", "e", "U"] as [Character] {
            #expect(commands(model.press(.character(key))).isEmpty)
            #expect(model.notice?.text.hasSuffix("read-only console") == true, "\(key)")
        }
        model.press(.character(":"))
        model.type("unplug combo-kbd")
        #expect(commands(model.press(.enter)).isEmpty)
        #expect(model.notice?.text == "unplug: read-only console")
    }

    @Test func aLostEngineKeepsTheLastTruthGreyAndRefusesVerbs() {
        var model = console(120, 36)
        model.stand(on: keyboard)
        _ = model.update(.connection(.lost(reason: "connection refused", retryAt: Harbour.now + 5)))
        #expect(commands(model.press(.character("u"), .character("u"))).isEmpty)
        #expect(model.notice?.text == "u: no connection to the engine")
        _ = model.update(.tick(Harbour.now + 20))
        let canvas = model.render()
        #expect(canvas.text.contains("combo-kbd"))
        #expect(canvas.row(10).allSatisfy { $0.role == .off })
        #expect(canvas.text.contains("NO ENGINE"))
    }

    @Test func aReconnectAsksForWhatWasMissed() {
        var model = console(120, 36)
        _ = model.update(.connection(.lost(reason: "gone", retryAt: nil)))
        let effects = model.update(.connection(.connected))
        #expect(commands(effects) == [.events(after: 8, limit: 500)])
        #expect(effects.contains(.subscribe(Subscription(snapshots: true, events: true))))
    }

    @Test func aRequestCutOffByALostEngineIsNotForgotten() {
        var model = console(120, 36)
        model.stand(on: mouse)
        model.press(.character(" "))
        _ = model.update(.connection(.lost(reason: "gone", retryAt: nil)))
        #expect(model.notice?.text == "switch combo-kbd/mouse on: outcome unknown, gone")
    }

    @Test func trafficFollowsTheSelectionUntilPinned() {
        var model = console(120, 36)
        model.select(keyboard)
        model.setFocus(.devices)
        #expect(
            model.update(.tick(Harbour.now)) == [
                .subscribe(Subscription(snapshots: true, events: true, traffic: TrafficSelector(device: "combo-kbd")))
            ])
        model.press(.character("f"))
        #expect(model.press(.down).isEmpty)
        #expect(model.trafficSelector == TrafficSelector(device: "combo-kbd"))
        #expect(
            model.press(.character("f")) == [
                .subscribe(
                    Subscription(
                        snapshots: true, events: true,
                        traffic: TrafficSelector(device: "combo-kbd", interface: "keyboard")))
            ])
    }

    @Test func freezingKeepsThePictureWhileTheTruthGoesOn() {
        var model = console(120, 36)
        model.press(.character("z"))
        let before = model.render().text
        var later = Harbour.snapshot()
        later.time += 5
        later.vms[0].name = "renamed"
        _ = model.update(.snapshot(later))
        #expect(model.render().text.contains("build-03"))
        #expect(before.contains("FROZEN"))
        model.press(.character("z"))
        #expect(model.render().text.contains("renamed"))
    }

    @Test func escapeNeverQuits() {
        var model = console(120, 36)
        for _ in 0..<20 { #expect(!model.press(.escape).contains(.quit)) }
    }

    @Test func quitSaysThatDevicesStayPlugged() {
        var model = console(120, 36)
        #expect(model.press(.character("q")).isEmpty)
        #expect(model.render().text.contains("5 devices stay plugged"))
        #expect(model.press(.escape).isEmpty)
        #expect(model.press(.character("q"), .enter) == [.quit])
    }

    @Test func aDeviceOnItsWayOutIsNotAskedAbout() {
        var model = console(120, 36)
        var leaving = Harbour.snapshot()
        for index in leaving.devices.indices where leaving.devices[index].staysInVM {
            leaving.devices[index].state = .unplugging
        }
        _ = model.update(.snapshot(leaving))
        #expect(model.press(.character("q")) == [.quit])
    }

    @Test func nextFaultGoesToEachInTurn() {
        var model = console(120, 36)
        model.press(.character("!"))
        #expect(model.target == .vm("id-kiosk-11"))
        model.press(.character("!"))
        #expect(model.target == .vm("id-till-02"))
        model.press(.character("!"))
        #expect(model.target == .interface(device: "scale", name: "weight"))
        model.press(.character("!"))
        #expect(model.target == .vm("id-kiosk-11"))
    }

    @Test func enterOnAnEventGoesToItsSubject() {
        var model = console(120, 36)
        model.press(.character("4"), .down, .down, .enter)
        #expect(model.target == .interface(device: "scale", name: "weight"))
        #expect(model.focus == .devices)
    }

    @Test func suspendRepaintMouseAndCopyAreEffects() {
        var model = console(120, 36)
        #expect(model.press(.control("z")) == [.suspend])
        #expect(model.press(.control("l")) == [.repaint])
        #expect(model.press(.character("M")) == [.mouseCapture(false)])
        model.stand(on: keyboard)
        guard case .copy(let text)? = model.press(.character("y")).first else {
            Issue.record("nothing copied")
            return
        }
        #expect(text.hasPrefix("web-02 › combo-kbd  plugged"))
    }

    @Test func firstStepsGoWithTheFirstPlug() {
        var model = console(120, 36, firstSteps: "press p")
        #expect(model.render().text.contains("press p"))
        model.stand(on: .device("desk"))
        guard case .send(let id, _)? = model.press(.character("p"), .enter).first else {
            Issue.record("nothing sent")
            return
        }
        _ = model.update(.reply(id: id, .done("plugged")))
        #expect(model.firstSteps == nil)
    }

    @Test func themePreviewIsTakenBackByEscape() {
        var model = console(80, 24)
        #expect(model.press(.character("t"), .down) == [.loadTheme("mono")])
        _ = model.update(.theme(name: "mono", .loaded))
        #expect(model.press(.escape) == [.loadTheme("harbor")])
        #expect(model.press(.character("t"), .up) == [.loadTheme("harbor")])
    }

    @Test func aRestartedEngineCountsFromTheStart() {
        var model = console(120, 36)
        var other = Harbour.snapshot()
        other.engine.startedAt += 100
        #expect(commands(model.update(.snapshot(other))) == [.events(after: 0, limit: 500)])
        _ = model.update(.event(Harbour.events[0]))
        #expect(model.live.events.entries.count == Harbour.events.count + 1)
        #expect(model.live.events.entries.first?.event == Harbour.events[0])
    }

    @Test func mouseSelectsAndScrolls() {
        var model = console(120, 36)
        _ = model.press(.mouse(Mouse(column: 5, row: 14, action: .press(1))))
        #expect(model.target == .vm("id-web-02"))
        _ = model.press(.mouse(Mouse(column: 5, row: 14, action: .wheelUp)))
        #expect(model.target == .vm("id-no-usb"))
        _ = model.press(.mouse(Mouse(column: 500, row: 900, action: .press(1))))
        #expect(model.target == .vm("id-no-usb"))
    }
}

/// Rates and pictures of rates while time goes by.
@Suite struct RateTests {
    @Test func ratesComeFromCountersASecondApart() {
        let model = console(120, 36)
        #expect(abs(model.rate(.device("combo-kbd")).bytes - 1126) < 20)
        #expect(abs(model.rate(.vm("id-web-02")).bytes - 831_385) < 2000)
        #expect(model.rate(.vm("id-web-01")).bytes == 0)
    }

    @Test func withoutNewsThereIsNoRate() {
        var model = console(120, 36)
        _ = model.update(.tick(Harbour.now + 3))
        #expect(model.rate(.device("combo-kbd")).bytes == 0)
        #expect(model.shown.rates.line(.device("combo-kbd"), now: model.now).suffix(3) == [0, 0, 0])
    }

    @Test func countersThatGoBackAreNoRate() {
        var model = console(120, 36)
        var snapshot = Harbour.snapshot()
        snapshot.time += 1
        snapshot.devices = Harbour.devices(moved: 1)
        _ = model.update(.snapshot(snapshot))
        #expect(model.rate(.device("combo-kbd")).bytes == 0)
    }

    @Test func theGraphMovesOnWhileNothingMoves() {
        var model = GoldenTests.watching(120, 36)
        let busy = model.shown.traffic.samples(now: model.now)
        _ = model.update(.tick(Harbour.now + 11))
        let idle = model.shown.traffic.samples(now: model.now)
        #expect(idle.count == busy.count + 20)
        #expect(idle.suffix(20).allSatisfy { $0.bytesIn == 0 })
    }

    @Test func brailleFillsFromBelow() {
        #expect(Graph.area([1, 2, 3, 4], peak: 4, width: 2, height: 1, glyphs: .unicode) == ["⣠⣾"])
        #expect(Graph.area([1, 8], peak: 8, width: 2, height: 1, glyphs: .blocks) == ["▁█"])
        #expect(Graph.area([1, 2], peak: 2, width: 3, height: 1, glyphs: .ascii) == [" .#"])
        #expect(Graph.sparkline([0, 1, 8], width: 4, glyphs: .unicode) == " ·▁█")
    }

    @Test func numbersAreShort() {
        #expect(
            [0, 980, 1024, 12_700, 3.2e9, .infinity, .nan, -5].map(Format.bytes) == [
                "0", "980", "1.0k", "12.4k", "3.0G", ">999P", "0", "0",
            ])
        #expect(Format.rate(407_552) == "398.0 KiB/s")
        #expect(
            [0.44, 12, 180, 7500, 460_000].map(Format.duration) == ["0.4 s", "12 s", "3 min", "2 h 05", "5 d 7 h"])
        #expect(Format.grouped(1_234_567) == "1 234 567")
        #expect(Format.clock(Harbour.now, offset: 3600) == "04:12:44")
        #expect(Format.clock(Harbour.now, offset: -4 * 3600) == "23:12:44")
        #expect(Format.moment(Harbour.now - 200_000, now: Harbour.now, offset: 0) == "02-11 19:39")
    }
}
