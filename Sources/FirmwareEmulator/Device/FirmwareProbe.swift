import USBCore

/// Runs an image in virtual time, without thread or wall clock: what `2virt firmware probe` shows, and what tests use.
public final class FirmwareProbe {
    public let microcontroller: Microcontroller
    /// What the bus told and nobody has taken yet.
    public private(set) var events: [BusEvent] = []
    /// Faults, polling, resets, in order.
    public private(set) var log: [String] = []
    public private(set) var serial: [UInt8] = []
    public private(set) var fault: FaultReport?
    private var drive: BusDrive?
    private var lastSerial: UInt64 = 0

    /// - Parameter trace: told of each transaction on the bus.
    public init(
        image: FirmwareImage, board: Board, identity: UInt64 = 1, trace: ((String) -> Void)? = nil
    ) throws(ImageError) {
        microcontroller = try Microcontroller(board: board, image: image, identity: identity)
        if !image.symbols.isEmpty { microcontroller.machine.symbols = image.symbols }
        microcontroller.machine.onDiagnostic = { [unowned self] in log.append("\($0)") }
        microcontroller.onSerial = { [unowned self] _, byte in serial.append(byte) }
        let drive = BusDrive(microcontroller, trace: trace) { [unowned self] in events.append($0) }
        self.drive = drive
        drive.powerOn()
    }

    public var scheduler: BusScheduler? { drive?.scheduler }
    /// Nanoseconds since power-on.
    public var virtualTime: UInt64 { microcontroller.machine.clock.nanoseconds }

    /// Runs for some virtual time, or until `isDone`, which is asked each 100 µs.
    public func run(milliseconds: UInt64, until isDone: () -> Bool = { false }) {
        let clock = microcontroller.machine.clock
        let end = clock.nanoseconds + milliseconds * 1_000_000
        while clock.nanoseconds < end, fault == nil, !isDone() {
            switch microcontroller.run(untilCycle: clock.now + clock.cycles(nanoseconds: 100_000)) {
            case .sliceOver, .sleeping, .stopped, .breakpoint, .watchpoint: break
            case .fault(let report): fault = report
            case .resetRequested:
                log.append("chip reset")
                microcontroller.reset()
                drive?.advance()
            }
        }
    }

    /// Runs until the device is enumerated or given up.
    public func enumerate(milliseconds: UInt64 = 30_000) -> EnumeratedDevice? {
        run(milliseconds: milliseconds) {
            events.contains {
                switch $0 {
                case .enumerated, .returned, .unusable: true
                default: false
                }
            }
        }
        return takeEnumerated()
    }

    private func takeEnumerated() -> EnumeratedDevice? {
        let position = events.firstIndex { if case .enumerated = $0 { true } else { false } }
        guard let position, case .enumerated(let device) = events.remove(at: position) else { return nil }
        return device
    }

    /// Why there is no device yet.
    public var failure: String {
        for event in events {
            if case .unusable(let reason) = event { return "the device does not enumerate: \(reason)" }
        }
        return microcontroller.usb.isAttached
            ? "the device attached and was not enumerated in time"
            : "the firmware did not attach to the bus; it is at \(microcontroller.machine.place)"
    }

    /// A host takes the device.
    public func connect() {
        drive?.scheduler.connect()
        drive?.advance()
    }

    /// Gives the device a transfer and runs until it has ended.
    public func perform(_ transfer: Transfer, milliseconds: UInt64 = 5000) -> TransferCompletion? {
        lastSerial += 1
        let serial = lastSerial
        submit(serial, transfer)
        run(milliseconds: milliseconds) { completionIndex(serial) != nil }
        return takeCompletion(serial)
    }

    public func submit(_ serial: UInt64, _ transfer: Transfer) {
        drive?.scheduler.submit(BusTransfer(serial: serial, transfer: transfer))
        drive?.advance()
    }

    public func takeCompletion(_ serial: UInt64) -> TransferCompletion? {
        guard let index = completionIndex(serial), case .completed(_, let completion) = events.remove(at: index) else {
            return nil
        }
        return completion
    }

    private func completionIndex(_ serial: UInt64) -> Int? {
        events.firstIndex { if case .completed(serial, _) = $0 { true } else { false } }
    }
}
