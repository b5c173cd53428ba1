/// What an operator sees of a board and does to it.
extension Microcontroller {
    /// LEDs by name, on or off as firmware drives them.
    var lights: [EmulatorStatus.Light] {
        board.leds.map { led in
            let level = pins.drivenLevel(led.pin)
            return .init(name: led.name, isOn: level.map { $0 != led.isActiveLow } ?? false)
        }
    }

    func press(_ button: Board.NamedPin, _ isPressed: Bool) {
        // A released button leaves the pin to its resistor on the board.
        forcePin(button.pin, isPressed != button.isActiveLow)
    }

    /// Drives a pin from outside; nil lets it go.
    func forcePin(_ pin: Pin, _ level: Bool?) {
        pins.force(pin, level)
        machine.inputChanged()
    }

    /// Gives bytes to every serial port that listens.
    func receiveSerial(_ bytes: [UInt8]) {
        for port in serialPorts { port.receive(bytes) }
        machine.inputChanged()
    }

    /// A serial port has bytes that firmware has yet to take.
    var hasUnreadSerial: Bool { serialPorts.contains(where: \.hasUnread) }

    /// All of the flash, for keeping.
    public var flashContents: [UInt8] { flash.read(at: 0, count: Int(flash.size)) }

    /// Buttons at rest.
    func releaseButtons() {
        for button in board.buttons { pins.force(button.pin, button.isActiveLow) }
    }
}
