import ControlProtocol
import SnapshotFixtures
import Testing

@testable import Console

/// Selections stay on objects, whatever the lists do.
@Suite struct SelectionTests {
    @Test func aLostVMGoesUpButTheSelectionStaysOnItsLine() {
        var model = console(120, 36)
        model.stand(on: .vm("id-till-01"))
        let line = { (model: ConsoleModel) in model.positions[.vms].map { $0.index - $0.offset } }
        var snapshot = Harbour.snapshot()
        for index in snapshot.vms.indices where snapshot.vms[index].name == "web-01" {
            snapshot.vms[index].state = .lost
        }
        let before = line(model)
        _ = model.update(.snapshot(snapshot))
        #expect(model.target == .vm("id-till-01"))
        // All rows fit, so the row itself may move; on a small screen it does not.
        #expect(model.positions[.vms]?.offset == 0)
        #expect(before != nil)

        var small = console(60, 15)
        small.stand(on: .vm("id-kiosk-12"))
        let smallBefore = line(small)
        _ = small.update(.snapshot(snapshot))
        #expect(small.target == .vm("id-kiosk-12"))
        #expect(line(small) == smallBefore)
    }

    @Test func theSelectionFollowsADeviceIntoItsVM() {
        var model = console(120, 36)
        model.stand(on: .device("desk"))
        #expect(model.place == .shelf)
        var snapshot = Harbour.snapshot()
        for index in snapshot.devices.indices where snapshot.devices[index].name == "desk" {
            snapshot.devices[index].state = .plugged
            snapshot.devices[index].attachment = Attachment(vm: "web-01", via: .usbredir)
        }
        _ = model.update(.snapshot(snapshot))
        #expect(model.place == .vm("id-web-01"))
        #expect(model.target == .device("desk"))
    }

    @Test func whatIsGoneLeavesTheSelectionNearby() {
        var model = console(120, 36)
        model.stand(on: .vm("id-web-01"))
        let index = model.positions[.vms]?.index ?? 0
        var snapshot = Harbour.snapshot()
        snapshot.vms.removeAll { $0.name == "web-01" }
        _ = model.update(.snapshot(snapshot))
        #expect(model.positions[.vms]?.index == index)
        #expect(model.target == .vm("id-web-02"))
        snapshot.vms = []
        snapshot.devices = []
        _ = model.update(.snapshot(snapshot))
        #expect(model.target == .shelf)
    }

    @Test func theSelectionSurvivesEverySize() {
        var model = console(200, 60)
        let keys = ObjectID.interface(device: "combo-kbd", name: "keyboard")
        model.stand(on: keys)
        for size in [(120, 36), (80, 24), (60, 15), (40, 12), (20, 5), (5, 1), (20, 5), (60, 15), (80, 24), (200, 60)] {
            _ = model.update(.resize(columns: size.0, rows: size.1))
            #expect(model.target == keys, "\(size)")
        }
        #expect(model.focus == .devices)
    }

    @Test func tabGoesRoundThePanes() {
        var model = console(120, 36)
        var seen: [Pane] = []
        for _ in 0..<4 {
            seen.append(model.focusedPane)
            model.press(.tab)
        }
        #expect(seen == [.vms, .devices, .traffic, .events])
        #expect(model.focusedPane == .vms)
        model.press(.backTab)
        #expect(model.focusedPane == .events)
        model.press(.character("3"), .character("3"))
        #expect(model.focusedPane == .traffic)
        #expect(model.zoomed)
        model.press(.escape)
        #expect(!model.zoomed)
    }

    @Test func enterGoesInAndEscapeOut() {
        var model = console(120, 36)
        model.stand(on: .vm("id-web-02"))
        model.press(.enter)
        #expect(model.target == .device("card-reader"))
        model.press(.down, .enter)
        #expect(model.focus == .traffic)
        #expect(model.trafficSelector == TrafficSelector(device: "card-reader", interface: "slot"))
        model.press(.escape)
        #expect(model.focus == .devices)
        model.press(.escape)
        #expect(model.focus == .vms)
        #expect(model.target == .vm("id-web-02"))
    }

    @Test func theTreeFoldsAndUnfolds() {
        var model = console(80, 24)
        model.stand(on: .vm("id-web-02"))
        let closed = model.treeRows().count
        model.press(.right)
        #expect(model.treeRows().count == closed + 4)
        model.press(.down, .down, .right)
        #expect(model.treeRows().count == closed + 7)
        model.press(.down, .left)
        #expect(model.target == .device("combo-kbd"))
        model.press(.left, .left)
        #expect(model.target == .vm("id-web-02"))
        model.press(.left)
        #expect(model.treeRows().count == closed)
    }

    @Test func aHeldTransferStaysWhileNewOnesCome() {
        var model = GoldenTests.watching(120, 36)
        model.press(.character("3"), .up, .up)
        let held = model.transferCursor
        let line = model.positions[.traffic].map { $0.index - $0.offset }
        var more = Harbour.traffic
        more.transfers = (0..<5).map { index in
            var row = Harbour.traffic.transfers[index]
            row.sequence = UInt64(50_000 + index)
            return row
        }
        _ = model.update(.traffic(more))
        #expect(model.transferCursor == held)
        #expect(model.positions[.traffic].map { $0.index - $0.offset } == line)
        #expect(model.render().text.contains("held"))
        model.press(.character("G"))
        #expect(model.transferCursor == nil)
        #expect(model.heldTransfer?.sequence == 50_004)
    }

    @Test func hysteresisHoldsATierForTwoColumns() {
        #expect(Tier.of(columns: 109, rows: 40) == .medium)
        #expect(Tier.of(columns: 109, rows: 40, current: .large) == .large)
        #expect(Tier.of(columns: 108, rows: 28, current: .large) == .large)
        #expect(Tier.of(columns: 107, rows: 40, current: .large) == .medium)
        #expect(Tier.of(columns: 110, rows: 30, current: .medium) == .large)
        #expect(Tier.of(columns: 108, rows: 43, current: .extraLarge) == .large)
    }
}
