/// A chip with what is soldered around it: crystal, LEDs, buttons, the USB pull-up.
public struct Board: Sendable {
    /// A pin with a name that means something to the operator.
    public struct NamedPin: Sendable, Equatable {
        public var name: String
        public var pin: Pin
        /// Low is on, or pressed.
        public var isActiveLow: Bool
    }

    /// As configuration and command line name it.
    public let name: String
    public let chip: Chip
    /// HSE in hertz.
    public var crystal: UInt64 = 8_000_000
    public var leds: [NamedPin] = []
    public var buttons: [NamedPin] = []
    /// The pin that switches the USB pull-up and the level that switches it on; nil: it is always on.
    public var pullUp: (pin: Pin, isOnWhenHigh: Bool)?

    public init(name: String, chip: Chip) {
        self.name = name
        self.chip = chip
    }

    /// A board of our list, by name, in any case.
    public static func named(_ name: String) -> Board? {
        let wanted = name.lowercased()
        return all.first { $0.name == wanted }
    }

    /// Every board, bare chips first.
    public static let all: [Board] = chips + boards

    private static let chips: [Board] = [
        Board(name: "stm32f042", chip: .stm32f042), Board(name: "stm32f070", chip: .stm32f070),
        Board(name: "stm32f070x6", chip: .stm32f070x6), Board(name: "stm32f072", chip: .stm32f072),
        Board(name: "stm32f103", chip: .stm32f103cb), Board(name: "stm32f103c8", chip: .stm32f103c8),
        Board(name: "stm32f103cb", chip: .stm32f103cb), Board(name: "stm32f103rb", chip: .stm32f103rb),
        Board(name: "stm32f103rc", chip: .stm32f103rc), Board(name: "stm32f103re", chip: .stm32f103re),
        Board(name: "stm32f103ve", chip: .stm32f103re), Board(name: "stm32f103ze", chip: .stm32f103re),
        Board(name: "stm32f303xc", chip: .stm32f303xc), Board(name: "stm32f303xe", chip: .stm32f303xe),
        Board(name: "stm32f401", chip: .stm32f401xe), Board(name: "stm32f401xc", chip: .stm32f401xc),
        Board(name: "stm32f405", chip: .stm32f405xg), Board(name: "stm32f407", chip: .stm32f407xg),
        Board(name: "stm32f411", chip: .stm32f411xe),
        make("rp2040", .rp2040, crystal: 12, buttons: ["bootsel !QSPI_SS"]),
    ]

    private static let boards: [Board] = [
        make(
            "stm32f072disco", .stm32f072, leds: ["red PC6", "orange PC8", "blue PC7", "green PC9"],
            buttons: ["user PA0"]),
        make("stm32f072nucleo", .stm32f072, leds: ["green PA5"], buttons: ["user !PC13"]),
        make("stm32f042nucleo", .stm32f042, leds: ["green PB3"]),
        make("stm32f070nucleo", .stm32f070, leds: ["green PA5"], buttons: ["user !PC13"]),
        make("bluepill", .stm32f103c8, leds: ["led !PC13"], buttons: ["button PA0"]),
        make("bluepill-128k", .stm32f103cb, leds: ["led !PC13"], buttons: ["button PA0"]),
        make("maple", .stm32f103rb, leds: ["led PA5"], buttons: ["button PC9"], pullUp: ("PC12", false)),
        make("maple-mini", .stm32f103cb, leds: ["led PB1"], buttons: ["button PB8"], pullUp: ("PB9", false)),
        make("stm32f103nucleo", .stm32f103rb, leds: ["green PA5"], buttons: ["user !PC13"]),
        make("olimex-h103", .stm32f103rb, leds: ["led !PC12"], buttons: ["button PA0"], pullUp: ("PC11", false)),
        make(
            "stm32f303disco", .stm32f303xc, leds: ["red PE9", "blue PE8", "orange PE10", "green PE11"],
            buttons: ["user PA0"]),
        make("stm32f303nucleo", .stm32f303xe, leds: ["green PA5"], buttons: ["user !PC13"]),
        make("candlelight", .stm32f072, leds: ["rx !PA0", "tx !PA1"]),
        make("usbmux", .stm32f042),
        make(
            "stm32f407disco", .stm32f407xg, leds: ["green PD12", "orange PD13", "red PD14", "blue PD15"],
            buttons: ["user PA0"]),
        make(
            "stm32f411disco", .stm32f411xe, leds: ["green PD12", "orange PD13", "red PD14", "blue PD15"],
            buttons: ["user PA0"]),
        make("stm32f401nucleo", .stm32f401xe, leds: ["green PA5"], buttons: ["user !PC13"]),
        make("stm32f411nucleo", .stm32f411xe, leds: ["green PA5"], buttons: ["user !PC13"]),
        make("blackpill", .stm32f411xe, crystal: 25, leds: ["led !PC13"], buttons: ["key !PA0"]),
        make("blackpill-f401", .stm32f401xc, crystal: 25, leds: ["led !PC13"], buttons: ["key !PA0"]),
        make("blackpill-f401ce", .stm32f401xe, crystal: 25, leds: ["led !PC13"], buttons: ["key !PA0"]),
        make(
            "pyboard", .stm32f405xg, crystal: 12, leds: ["red PA13", "green PA14", "yellow PA15", "blue PB4"],
            buttons: ["usr !PB3"]),
        make(
            "pybv11", .stm32f405xg, crystal: 12, leds: ["red PA13", "green PA14", "yellow PA15", "blue PB4"],
            buttons: ["usr !PB3"]),
        make("pico", .rp2040, crystal: 12, leds: ["led GPIO25"], buttons: ["bootsel !QSPI_SS"]),
        make("feather-f405", .stm32f405xg, crystal: 12, leds: ["red PC1"]),
    ]

    /// Pins as text, `name PC13`, with `!` before a pin that is active low; the crystal in megahertz.
    private static func make(
        _ name: String, _ chip: Chip, crystal: UInt64 = 8, leds: [String] = [], buttons: [String] = [],
        pullUp: (pin: String, isOnWhenHigh: Bool)? = nil
    ) -> Board {
        var board = Board(name: name, chip: chip)
        board.crystal = crystal * 1_000_000
        board.leds = leds.compactMap(namedPin)
        board.buttons = buttons.compactMap(namedPin)
        if let pullUp, let pin = Pin(pullUp.pin) { board.pullUp = (pin, pullUp.isOnWhenHigh) }
        return board
    }

    private static func namedPin(_ text: String) -> NamedPin? {
        let words = text.split(separator: " ")
        guard words.count == 2 else { return nil }
        let isActiveLow = words[1].hasPrefix("!")
        guard let pin = Pin(String(isActiveLow ? words[1].dropFirst() : words[1])) else { return nil }
        return NamedPin(name: String(words[0]), pin: pin, isActiveLow: isActiveLow)
    }
}
