/// A board with an image in its flash: the machine, its chip, and the ways in for bus and operator.
///
/// Confined to one thread at a time, like the machine.
public final class Microcontroller {
    public let board: Board
    public let machine: Machine
    let chip: any ChipAssembly
    private let context: ChipContext
    /// Where the image begins.
    private var imageStart: UInt32?

    /// - Parameters:
    ///   - identity: makes the chip's unique id.
    ///   - image: what is in flash, or SRAM; nil is an erased chip.
    public init(board: Board, image: FirmwareImage?, identity: UInt64 = 1) throws(ImageError) {
        self.board = board
        machine = Machine(model: board.chip.core, hertz: 8_000_000)
        context = ChipContext(board: board, machine: machine, identity: identity)
        chip = board.chip.assemble(context)
        pins.onChange.append { [unowned self] port, _, _ in
            if port == board.pullUp?.pin.port { updatePullUp() }
        }
        if let image { try load(image) }
    }

    var usb: any ChipUSBController { chip.usb }
    var flash: MemoryRegion { chip.flash }
    var pins: PinBank { context.pins }
    var serialPorts: [any SerialInput] { chip.serialPorts }

    /// Called with a serial port's name and a byte that firmware sent.
    public var onSerial: (String, UInt8) -> Void {
        get { context.onSerial }
        set { context.onSerial = newValue }
    }

    /// Called after firmware has changed its flash, with offset and length.
    public var onFlashChange: (UInt32, UInt32) -> Void {
        get { context.onFlashChange }
        set { context.onFlashChange = newValue }
    }

    /// Nobody uses the device now: what only keeps it busy may go slower.
    var isUnwatched: Bool {
        get { context.isUnwatched }
        set { context.isUnwatched = newValue }
    }

    /// Power on.
    public func powerOn() {
        chip.notePowerOn()
        reset()
        if let vectors = machine.bootVectors, chip.startsBehindBootLoader {
            machine.onDiagnostic?(.missingBootLoader(vectors: vectors))
        }
    }

    /// System reset, for the cause that was noted last.
    public func reset() {
        chip.prepareReset()
        machine.bootVectors = chip.bootVectors(imageStart: imageStart)
        machine.reset()
        updatePullUp()
    }

    /// Runs until virtual time is at least `cycle`, as ``Machine/run(untilCycle:)`` does.
    public func run(untilCycle cycle: UInt64) -> RunResult { chip.run(machine, untilCycle: cycle) }

    /// Puts segments where they belong; what is outside the chip's memories is an error.
    private func load(_ image: FirmwareImage) throws(ImageError) {
        imageStart = image.lowestAddress
        for segment in image.segments where !segment.bytes.isEmpty {
            switch chip.place(segment) {
            case .memory(let region, let offset): region.write(segment.bytes, at: offset)
            case .ignored: continue
            case .nowhere:
                let chip = board.chip
                throw ImageError(
                    image.format,
                    "\(segment.bytes.count) bytes at \(hex(segment.address)) do not fit \(chip.name): "
                        + "flash \(hex(chip.flashBase)) has \(chip.flashSize >> 10) KiB, "
                        + "SRAM \(hex(chip.memoryBase)) has \(chip.memorySize >> 10) KiB")
            }
        }
    }

    private func updatePullUp() {
        guard let (pin, isOnWhenHigh) = board.pullUp else { return }
        usb.isBoardPullUpOn = pins.drivenLevel(pin) == isOnWhenHigh
    }
}
