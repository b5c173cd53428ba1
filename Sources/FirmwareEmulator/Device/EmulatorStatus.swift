/// How an emulated device is doing, for operator and engineer.
public struct EmulatorStatus: Sendable {
    public enum Processor: String, Sendable {
        /// Not powered yet, or for good.
        case off
        case running
        /// Waiting for an interrupt.
        case sleeping
        /// In a recognised idle loop, which is skipped.
        case skipped
        case faulted
        /// Held by a debugger.
        case halted
    }

    public struct Light: Sendable, Equatable {
        public var name: String
        public var isOn: Bool
    }

    public struct Button: Sendable, Equatable {
        public var name: String
        public var isPressed: Bool
    }

    public var processor = Processor.off
    /// Millions of cycles a second that the firmware used, without what was skipped or slept through.
    public var millionCyclesPerSecond = 0.0
    /// Virtual time passed for each second of real time: 1 is the board's own speed.
    public var realTimeFactor = 0.0
    /// Since power-on, in nanoseconds.
    public var virtualTime: UInt64 = 0
    public var lights: [Light] = []
    public var buttons: [Button] = []
    /// The last bytes that firmware sent to its serial ports, oldest first.
    public var serialLog: [UInt8] = []
    /// How many bytes there were in all.
    public var serialTotal: UInt64 = 0
    /// What was reported, newest last: faults, polling, resets.
    public var log: [String] = []
    public var fault: FaultReport?
    /// Why the device cannot be used, when it cannot.
    public var trouble: String?
    public var isAttached = false
    /// While there is no device: where the firmware was last, `0x08000112 (start+0x52)`.
    public var place: String?

    public init() {}
}

extension EmulatorStatus {
    static let serialLimit = 16 << 10
    static let logLimit = 200
}
