/// The RP2040's USB controller as a device (RP2040 datasheet 4.1).
///
/// Registers and the dual-port memory are the firmware's side; `RPUSBController+Bus.swift` is the wire's. VBUS is always
/// there.
final class RPUSBController {
    /// Bytes of the memory that buffers and their control words are in.
    static let memorySize = 4096

    /// SIE_CTRL.
    enum Control {
        static let resume: UInt32 = 1 << 12
        static let pullUp: UInt32 = 1 << 16
        static let interruptOnNAK0: UInt32 = 1 << 27
        static let interruptPerPair0: UInt32 = 1 << 28
        static let interruptPerBuffer0: UInt32 = 1 << 29
        static let doubleBuffer0: UInt32 = 1 << 30
        static let interruptOnStall0: UInt32 = 1 << 31
    }

    /// SIE_STATUS.
    enum Status {
        static let vbus: UInt32 = 1 << 0
        static let suspended: UInt32 = 1 << 4
        static let resume: UInt32 = 1 << 11
        static let connected: UInt32 = 1 << 16
        static let setup: UInt32 = 1 << 17
        static let complete: UInt32 = 1 << 18
        static let busReset: UInt32 = 1 << 19
        static let overflow: UInt32 = 1 << 26
        static let acknowledged: UInt32 = 1 << 30
        static let sequenceError: UInt32 = 1 << 31
        /// Cleared by writing 1.
        static let clearable: UInt32 = 0xFF0F_0810 | suspended
    }

    /// INTR.
    enum Interrupt {
        static let complete: UInt32 = 1 << 3
        static let buffers: UInt32 = 1 << 4
        static let sequenceError: UInt32 = 1 << 5
        static let overflow: UInt32 = 1 << 7
        static let busReset: UInt32 = 1 << 12
        static let connection: UInt32 = 1 << 13
        static let suspend: UInt32 = 1 << 14
        static let resume: UInt32 = 1 << 15
        static let setup: UInt32 = 1 << 16
        static let startOfFrame: UInt32 = 1 << 17
        static let abortDone: UInt32 = 1 << 18
        static let stallOrNAK: UInt32 = 1 << 19
    }

    var onActivity: () -> Void = {}
    /// Called when the interrupt request changes.
    var lineChanged: (Bool) -> Void = { _ in }
    /// Out of reset, and clk_usb runs.
    var isClocked = false { didSet { updateAttachment() } }
    /// The pull-up is the controller's own.
    var isBoardPullUpOn = true

    let memory: UnsafeMutablePointer<UInt8>
    var address7: UInt8 = 0
    var control: UInt32 = 0
    var status: UInt32 = 0
    /// A bit for each endpoint and direction: 2n for IN, 2n + 1 for OUT.
    var buffersDone: UInt32 = 0
    /// The second buffer of a pair is the one to look at.
    var secondBuffers: UInt32 = 0
    var stalledOrNAKed: UInt32 = 0
    /// Which buffer of a pair the wire uses next.
    var usesSecond: UInt32 = 0
    /// Buffers of a pair that are done and not told yet.
    var pendingPairs: UInt32 = 0
    private(set) var stallArmed: UInt32 = 0
    private var isEnabled = false
    private var abort: UInt32 = 0
    private var abortDone: UInt32 = 0
    private var latched: UInt32 = 0
    private var interruptEnable: UInt32 = 0
    private var interruptForce: UInt32 = 0
    /// What nothing depends on.
    private var storage: [UInt32: UInt32] = [:]
    var frame: UInt32 = 0
    var idleFrames = 0
    var isResuming = false
    var isSuspended = false
    private var line = false
    var activity: UInt64 = 0
    private(set) var isAttached = false
    private(set) var detachCount = 0

    init() {
        memory = .allocate(capacity: Self.memorySize)
        memory.initialize(repeating: 0, count: Self.memorySize)
    }

    deinit { memory.deallocate() }

    func reset() {
        address7 = 0
        control = 0
        status = 0
        buffersDone = 0
        secondBuffers = 0
        stalledOrNAKed = 0
        usesSecond = 0
        pendingPairs = 0
        stallArmed = 0
        isEnabled = false
        abort = 0
        abortDone = 0
        latched = 0
        interruptEnable = 0
        interruptForce = 0
        storage = [:]
        idleFrames = 0
        isResuming = false
        isSuspended = false
        updateAttachment()
        updateLine()
    }

    // MARK: Registers

    func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x00: UInt32(address7)
        case 0x40: isEnabled ? 1 : 0
        case 0x48: readFrame()
        case 0x4C: control
        // J is full speed's idle state.
        case 0x50: status | Status.vbus | (isAttached && !isSuspended ? 1 << 2 : 0)
        case 0x58: buffersDone
        case 0x5C: secondBuffers
        case 0x60: abort
        case 0x64: abortDone
        case 0x68: stallArmed
        case 0x70: stalledOrNAKed
        case 0x8C: raw
        case 0x90: interruptEnable
        case 0x94: interruptForce
        case 0x98: raw & interruptEnable | interruptForce
        default: storage[offset] ?? 0
        }
    }

    func write(_ offset: UInt32, _ value: UInt32, _ operation: AtomicRegisterBlock.Operation) {
        func merged(_ old: UInt32) -> UInt32 { AtomicRegisterBlock.merged(old, value, operation) }
        switch offset {
        case 0x00: address7 = UInt8(merged(UInt32(address7)) & 0x7F)
        case 0x40:
            isEnabled = merged(isEnabled ? 1 : 0) & 1 == 1
            updateAttachment()
        case 0x4C:
            control = merged(control)
            if control & Control.resume != 0 {
                // Self-clearing: the bus sees the signalling once.
                control &= ~Control.resume
                isResuming = true
            }
            updateAttachment()
        case 0x50:
            status &= ~(value & Status.clearable)
            if value & Status.suspended != 0 { latched &= ~Interrupt.suspend }
            if value & Status.resume != 0 { latched &= ~Interrupt.resume }
            if value & Status.connected != 0 { latched &= ~Interrupt.connection }
        case 0x58: buffersDone &= ~value
        case 0x60:
            abort = merged(abort)
            // Between transactions: nothing is under way that could not be stopped.
            abortDone = abort
        case 0x64: abortDone &= ~value
        case 0x68: stallArmed = merged(stallArmed) & 3
        case 0x70: stalledOrNAKed &= ~value
        case 0x90: interruptEnable = merged(interruptEnable)
        case 0x94: interruptForce = merged(interruptForce)
        case 0x48, 0x5C, 0x8C, 0x98: break
        default: if offset < 0x8C { storage[offset] = merged(storage[offset] ?? 0) }
        }
        touched()
    }

    /// True when a write leaves everything as it is.
    func isNeutral(_ offset: UInt32, _ value: UInt32, _ operation: AtomicRegisterBlock.Operation) -> Bool {
        switch offset {
        case 0x58: buffersDone & value == 0
        case 0x90: AtomicRegisterBlock.merged(interruptEnable, value, operation) == interruptEnable
        default: false
        }
    }

    private func readFrame() -> UInt32 {
        latched &= ~Interrupt.startOfFrame
        updateLine()
        return frame
    }

    private var raw: UInt32 {
        var value = latched
        if status & Status.complete != 0 { value |= Interrupt.complete }
        if status & Status.sequenceError != 0 { value |= Interrupt.sequenceError }
        if status & Status.overflow != 0 { value |= Interrupt.overflow }
        if status & Status.busReset != 0 { value |= Interrupt.busReset }
        if status & Status.setup != 0 { value |= Interrupt.setup }
        if buffersDone != 0 { value |= Interrupt.buffers }
        if abortDone != 0 { value |= Interrupt.abortDone }
        if stalledOrNAKed != 0 { value |= Interrupt.stallOrNAK }
        return value
    }

    func latch(_ interrupt: UInt32) { latched |= interrupt }

    func disarmStall() { stallArmed = 0 }

    func isStallArmed(_ bit: UInt32) -> Bool { stallArmed & bit != 0 }

    /// Firmware has done something: what was refused may be taken now.
    func touched() {
        activity &+= 1
        updateLine()
        onActivity()
    }

    func updateLine() {
        let isHigh = raw & interruptEnable | interruptForce != 0
        guard isHigh != line else { return }
        line = isHigh
        lineChanged(isHigh)
    }

    private func updateAttachment() {
        let now = isClocked && isEnabled && control & Control.pullUp != 0
        guard now != isAttached else { return }
        isAttached = now
        isSuspended = false
        idleFrames = 0
        if now {
            status |= Status.connected
        } else {
            detachCount += 1
            status &= ~Status.connected
        }
        latch(Interrupt.connection)
    }

    // MARK: Memory

    func word(at offset: Int) -> UInt32 {
        UnsafeRawPointer(memory + (offset & 0xFFC)).loadUnaligned(as: UInt32.self)
    }

    func setWord(at offset: Int, _ value: UInt32) {
        UnsafeMutableRawPointer(memory + (offset & 0xFFC)).storeBytes(of: value, as: UInt32.self)
    }
}
