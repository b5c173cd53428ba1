import ControlProtocol
import SnapshotFixtures
import Testing

@testable import Console

/// The board of emulated firmware under the keys.
@Suite struct BoardTests {
    private static func onBoard(readOnly: Bool = false) -> ConsoleModel {
        var model = console(120, 36, readOnly: readOnly)
        _ = model.update(.snapshot(Harbour.emulating()))
        model.stand(on: .device("blinker"))
        model.press(.character("b"))
        return model
    }

    @Test func keysPressHoldAndReleaseTheSelectedButton() {
        var model = Self.onBoard()
        #expect(commands(model.press(.enter)) == [.pressButton(device: "blinker", button: "user", action: .tap)])
        // It is held already.
        #expect(
            commands(model.press(.character("h"))) == [
                .pressButton(device: "blinker", button: "user", action: .release)
            ])
        #expect(
            commands(model.press(.down, .down, .character("h")))
                == [.pressButton(device: "blinker", button: "boot", action: .hold)])
        #expect(
            commands(model.press(.up, .character(" "))) == [
                .pressButton(device: "blinker", button: "user", action: .tap)
            ])
        #expect(commands(model.press(.character("R"))) == [.resetChip(device: "blinker")])
        model.press(.escape)
        #expect(model.mode == .panes)
    }

    @Test func aReadOnlyConsoleLooksAndDoesNotTouch() {
        var model = Self.onBoard(readOnly: true)
        #expect(model.mode == .board(BoardState(device: "blinker")))
        #expect(commands(model.press(.enter, .character("h"), .character("R"))).isEmpty)
    }

    @Test func onlyEmulatedFirmwareHasABoard() {
        var model = console(120, 36)
        model.stand(on: .device("combo-kbd"))
        #expect(model.disabledReason(.board) == "select a device of emulated firmware")
        model.press(.character("b"))
        #expect(model.mode == .panes)
    }

    @Test func aBoardThatIsGoneIsLeftByAnyKey() {
        var model = Self.onBoard()
        _ = model.update(.snapshot(Harbour.snapshot()))
        #expect(commands(model.press(.enter)).isEmpty)
        #expect(model.mode == .panes)
    }

    @Test func interfacesOfFirmwareAreNotOursToSwitch() {
        var model = Self.onBoard()
        model.press(.escape)
        model.stand(on: .interface(device: "blinker", name: "if1"))
        #expect(commands(model.press(.character(" "))).isEmpty)
        #expect(model.disabledReason(.toggle) == "the firmware of blinker decides about its interfaces")
    }
}
