/// How the chip of an emulated device is doing.
public struct EmulatorSnapshot: Codable, Sendable, Equatable {
    public enum Processor: String, Codable, Sendable, Equatable {
        /// Not powered yet, or for good.
        case off
        case running
        /// Waiting for an interrupt.
        case sleeping
        /// In a main loop that only waits, which is skipped.
        case skipped
        case faulted
        /// Held by a debugger.
        case halted
    }

    /// A LED or a button of the board.
    public struct Part: Codable, Sendable, Equatable {
        public var name: String
        /// Lit, or pressed.
        public var isOn: Bool

        public init(name: String, isOn: Bool) {
            self.name = name
            self.isOn = isOn
        }
    }

    public var board: String
    public var processor: Processor
    /// Millions of cycles a second that the firmware used; what was slept or skipped through is not in it.
    public var megahertz: Double
    /// Virtual seconds in each second: 1 is the board's own speed.
    public var realTimeFactor: Double
    /// Whether firmware has its device on the bus.
    public var isAttached: Bool
    public var lights: [Part]
    public var buttons: [Part]
    /// The last of what firmware wrote to its serial ports.
    public var serialText: String
    /// The last of what was reported: faults, registers polled in vain, resets.
    public var log: [String]
    /// Why the CPU stopped, with its registers; nil while it has not.
    public var fault: String?

    public init(
        board: String, processor: Processor = .off, megahertz: Double = 0, realTimeFactor: Double = 0,
        isAttached: Bool = false, lights: [Part] = [], buttons: [Part] = [], serialText: String = "",
        log: [String] = [], fault: String? = nil
    ) {
        self.board = board
        self.processor = processor
        self.megahertz = megahertz
        self.realTimeFactor = realTimeFactor
        self.isAttached = isAttached
        self.lights = lights
        self.buttons = buttons
        self.serialText = serialText
        self.log = log
        self.fault = fault
    }
}

/// What a finger does to a button of a board.
public enum ButtonAction: String, Codable, Sendable, Equatable, CaseIterable {
    /// Pressed for a moment.
    case tap
    /// Pressed until released.
    case hold
    case release
}
