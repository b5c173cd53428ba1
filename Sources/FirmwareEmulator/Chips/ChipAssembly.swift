/// A chip's memories and peripherals, on the bus of a machine.
protocol ChipAssembly: AnyObject {
    var usb: any ChipUSBController { get }
    /// What keeps firmware.
    var flash: MemoryRegion { get }
    var serialPorts: [any SerialInput] { get }

    /// Where the bytes of an image go.
    func place(_ segment: FirmwareImage.Segment) -> ImagePlace
    /// The next reset is power-on.
    func notePowerOn()
    /// Before the machine's reset: what differs between causes, and the memory that code starts in.
    func prepareReset()
    /// Where a reset finds the vector table instead of at 0, as if a boot loader had gone there.
    func bootVectors(imageStart: UInt32?) -> UInt32?
    /// Runs all cores until virtual time is at least `cycle`.
    func run(_ machine: Machine, untilCycle cycle: UInt64) -> RunResult
    /// Boot vectors mean that an image's own boot loader is missing.
    var startsBehindBootLoader: Bool { get }
}

extension ChipAssembly {
    var startsBehindBootLoader: Bool { true }
    func run(_ machine: Machine, untilCycle cycle: UInt64) -> RunResult { machine.run(untilCycle: cycle) }
}

enum ImagePlace {
    case memory(MemoryRegion, UInt32)
    /// Something of the chip that an image does not change.
    case ignored
    case nowhere
}

/// A serial port's receiving side.
protocol SerialInput: AnyObject {
    /// Gives firmware bytes to receive; more than fit are lost, as on a wire.
    func receive(_ bytes: [UInt8])
    /// Firmware listens, and has not taken everything yet.
    var hasUnread: Bool { get }
}

extension SerialPort: SerialInput {}

extension MemoryRegion {
    /// Where `count` bytes at `address` lie in this region; nil when they do not.
    func offset(of address: UInt32, count: Int) -> UInt32? {
        guard address >= base, UInt64(address - base) + UInt64(count) <= UInt64(size) else { return nil }
        return address - base
    }
}
