import ControlProtocol

/// The board of an emulated device: its buttons are pressed by keys.
extension ConsoleModel {
    /// The emulated device whose board is on the screen.
    func device(of board: BoardState) -> DeviceSnapshot? {
        live.device(board.device).flatMap { $0.emulator == nil ? nil : $0 }
    }

    mutating func openBoard() {
        guard let device = targetDevice, device.emulator != nil else { return }
        mode = .board(BoardState(device: device.name))
    }

    mutating func performInBoard(_ action: Action, _ board: BoardState) -> [ConsoleEffect] {
        guard action != .cancel, let device = device(of: board), let emulator = device.emulator else {
            mode = .panes
            return []
        }
        var board = board
        let last = max(0, emulator.buttons.count - 1)
        board.cursor = min(board.cursor, last)
        switch action {
        case .up: board.cursor = max(0, board.cursor - 1)
        case .down: board.cursor = min(last, board.cursor + 1)
        case .accept, .hold:
            guard emulator.buttons.indices.contains(board.cursor) else { return refuse("this board has no button") }
            let button = emulator.buttons[board.cursor]
            let gesture: ButtonAction = action == .accept ? .tap : button.isOn ? .release : .hold
            return change(
                .pressButton(device: device.name, button: button.name, action: gesture),
                "\(gesture.rawValue) button \(button.name) of \(device.name)")
        case .resetChip: return change(.resetChip(device: device.name), "reset the chip of \(device.name)")
        default: break
        }
        mode = .board(board)
        return []
    }

    private mutating func change(_ command: Command, _ label: String) -> [ConsoleEffect] {
        if let changeReason { return refuse(changeReason) }
        return [send(command, label)]
    }

    private mutating func refuse(_ reason: String) -> [ConsoleEffect] {
        tell(reason)
        return [.bell]
    }
}

extension EmulatorSnapshot.Processor {
    var stateWord: StateWord {
        switch self {
        case .off: StateWord(glyph: "○", word: "off", role: .off)
        case .running: StateWord(glyph: "●", word: "running", role: .good)
        case .sleeping: StateWord(glyph: "●", word: "sleeping", role: .good)
        case .skipped: StateWord(glyph: "●", word: "idle, skipped", role: .good)
        case .faulted: StateWord(glyph: "✗", word: "faulted", role: .bad)
        case .halted: StateWord(glyph: "‖", word: "halted", role: .warn)
        }
    }
}
