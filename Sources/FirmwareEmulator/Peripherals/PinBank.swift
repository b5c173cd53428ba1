/// All pins of a chip: what firmware drives, what the board drives, and who listens.
///
/// The only thing that GPIO ports, external interrupts, LEDs, buttons and the USB pull-up have in common.
final class PinBank {
    /// Ports A…H, then the numbered pins, then the flash's.
    static let portCount = 11

    /// One port of 16 pins.
    struct Port {
        /// Pins that firmware drives, and to what.
        var driven: UInt16 = 0
        var output: UInt16 = 0
        /// Pull resistors that firmware switched on.
        var pullUp: UInt16 = 0
        var pullDown: UInt16 = 0
        /// Pins that the board drives, and to what: buttons.
        var forced: UInt16 = 0
        var forcedLevel: UInt16 = 0

        /// Levels as IDR shows them. Without anything that drives it a pin follows its pull-up, else it is low.
        var levels: UInt16 {
            let floating = ~(driven | forced)
            return (forced & forcedLevel) | (driven & ~forced & output) | (floating & pullUp)
        }
    }

    private(set) var ports = [Port](repeating: Port(), count: portCount)
    /// Called with a port's number and its levels before and after a change.
    var onChange: [(_ port: Int, _ before: UInt16, _ after: UInt16) -> Void] = []

    func update(_ port: Int, _ change: (inout Port) -> Void) {
        guard ports.indices.contains(port) else { return }
        let before = ports[port].levels
        change(&ports[port])
        let after = ports[port].levels
        guard before != after else { return }
        for listener in onChange { listener(port, before, after) }
    }

    func level(_ pin: Pin) -> Bool { ports[pin.port].levels >> UInt16(pin.number) & 1 == 1 }

    /// Firmware drives the pin to this level; nil while it does not drive it.
    func drivenLevel(_ pin: Pin) -> Bool? {
        guard ports[pin.port].driven >> UInt16(pin.number) & 1 == 1 else { return nil }
        return ports[pin.port].output >> UInt16(pin.number) & 1 == 1
    }

    /// The board drives a pin; nil lets it go.
    func force(_ pin: Pin, _ level: Bool?) {
        let bit = UInt16(1) << UInt16(pin.number)
        update(pin.port) {
            $0.forced = level == nil ? $0.forced & ~bit : $0.forced | bit
            $0.forcedLevel = level == true ? $0.forcedLevel | bit : $0.forcedLevel & ~bit
        }
    }
}

/// A pin by port and number, written `PA12`, or by number alone, written `GPIO25`.
public struct Pin: Sendable, Hashable, CustomStringConvertible {
    /// The port of GPIO0…15; GPIO16…31 are the next one.
    static let numberedPort = 8
    /// The pins of an external flash: SCLK, SS, SD0…3.
    static let flashPort = 10

    public let port: Int
    public let number: Int

    init(port: Int, number: Int) {
        self.port = port
        self.number = number
    }

    /// `PA12` and `A12`, `GPIO25` and `GP25`, `QSPI_SS`; also in small letters. Nil for what is no pin.
    public init?(_ text: String) {
        var rest = text.uppercased()[...]
        if rest == "QSPI_SS" {
            self.init(port: Self.flashPort, number: 1)
            return
        }
        for prefix in ["GPIO", "GP"] where rest.hasPrefix(prefix) {
            guard let number = Int(rest.dropFirst(prefix.count)), (0..<32).contains(number) else { continue }
            self.init(port: Self.numberedPort + number / 16, number: number % 16)
            return
        }
        if rest.first == "P" { rest = rest.dropFirst() }
        guard let letter = rest.first?.asciiValue, (0x41..<0x41 + UInt8(Self.numberedPort)).contains(letter),
            let number = Int(rest.dropFirst()), (0..<16).contains(number)
        else { return nil }
        self.init(port: Int(letter - 0x41), number: number)
    }

    public var description: String {
        switch port {
        case Self.flashPort: ["QSPI_SCLK", "QSPI_SS"][min(number, 1)]
        case Self.numberedPort...: "GPIO\((port - Self.numberedPort) * 16 + number)"
        default: "P\(Character(UnicodeScalar(UInt8(0x41 + port))))\(number)"
        }
    }
}
