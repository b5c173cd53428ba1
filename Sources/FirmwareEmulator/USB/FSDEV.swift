/// ST's full-speed device controller with a packet memory (RM0091 chapter 30, RM0008 chapter 23).
///
/// Registers and packet memory are the firmware's side; `FSDEV+Bus.swift` is the wire's.
public final class FSDEV {
    /// How the CPU sees the packet memory.
    public enum PacketMemoryAccess: Sendable, Equatable {
        /// Halfwords at their own address (F0, F303xE): "2x16".
        case packed
        /// Each halfword in a 32-bit slot (F103, F303xC): "1x16".
        case spread
    }

    /// What differs between the chips that have this controller.
    public struct Variant: Sendable, Equatable {
        public var access: PacketMemoryAccess
        /// Bytes of packet memory, 512 or 1024.
        public var packetMemorySize: Int
        /// BCDR with its pull-up exists; otherwise a board's resistor makes the device visible.
        public var hasPullUp: Bool
        /// LPMCSR exists.
        public var hasLinkPowerManagement: Bool

        public init(
            access: PacketMemoryAccess, packetMemorySize: Int, hasPullUp: Bool, hasLinkPowerManagement: Bool
        ) {
            self.access = access
            self.packetMemorySize = packetMemorySize
            self.hasPullUp = hasPullUp
            self.hasLinkPowerManagement = hasLinkPowerManagement
        }

        public static let f0 = Variant(
            access: .packed, packetMemorySize: 1024, hasPullUp: true, hasLinkPowerManagement: true)
        public static let f1 = Variant(
            access: .spread, packetMemorySize: 512, hasPullUp: false, hasLinkPowerManagement: false)
        public static let f303xC = f1
        public static let f303xE = Variant(
            access: .packed, packetMemorySize: 1024, hasPullUp: false, hasLinkPowerManagement: true)
    }

    /// Level of the controller's interrupt requests.
    public struct Lines: Sendable, Equatable {
        /// Every enabled event.
        public var low = false
        /// Correct transfer of isochronous and double-buffered endpoints.
        public var high = false
        /// Bus activity during suspend; goes to the EXTI line 18.
        public var wakeUp = false
    }

    public let variant: Variant
    /// Called after firmware wrote a register or packet memory: what was refused may be taken now.
    public var onActivity: () -> Void = {}
    /// Called when a line changes.
    public var linesChanged: (Lines) -> Void = { _ in }
    /// The RCC clock; without it the device is not on the bus.
    public var isClocked = true { didSet { updateAttachment() } }
    /// A board's pull-up is switched on, where a pin controls one.
    public var isBoardPullUpOn = true { didSet { updateAttachment() } }

    var endpoints = [EndpointRegister](repeating: EndpointRegister(), count: 8)
    var control: UInt16 = Control.reset
    /// ISTR without CTR, DIR and EP_ID, which follow from the endpoints.
    var events: UInt16 = 0
    var frame: UInt16 = 0
    var lineState: UInt16 = FrameNumber.idle
    var deviceAddress: UInt16 = 0
    var bufferTable: UInt16 = 0
    private var linkPower: UInt16 = 0
    private var batteryCharging: UInt16 = 0
    var memory: [UInt8]
    var idleFrames = 0
    /// FSUSP was set and nothing has happened on the bus since.
    var isDormant = false
    public internal(set) var activity: UInt64 = 0
    public private(set) var lines = Lines()
    public private(set) var isAttached = false
    public private(set) var detachCount = 0

    public init(variant: Variant) {
        self.variant = variant
        memory = [UInt8](repeating: 0, count: variant.packetMemorySize)
    }

    /// CNTR.
    enum Control {
        static let reset: UInt16 = 0x0003
        static let forceReset: UInt16 = 1 << 0
        static let powerDown: UInt16 = 1 << 1
        static let lowPower: UInt16 = 1 << 2
        static let forceSuspend: UInt16 = 1 << 3
        static let resume: UInt16 = 1 << 4
    }

    /// ISTR.
    enum Event {
        static let transfer: UInt16 = 1 << 15
        static let overrun: UInt16 = 1 << 14
        static let error: UInt16 = 1 << 13
        static let wakeUp: UInt16 = 1 << 12
        static let suspend: UInt16 = 1 << 11
        static let reset: UInt16 = 1 << 10
        static let startOfFrame: UInt16 = 1 << 9
        static let expectedFrame: UInt16 = 1 << 8
        static let l1Request: UInt16 = 1 << 7
        /// Cleared by writing 0.
        static let clearable: UInt16 = 0x7F80
    }

    /// FNR's upper bits: levels of the data lines.
    enum FrameNumber {
        static let idle: UInt16 = 1 << 15
        static let resuming: UInt16 = 1 << 14
        static let locked: UInt16 = 1 << 13
    }

    /// RCC or power-on reset.
    public func reset() {
        endpoints = Array(repeating: EndpointRegister(), count: 8)
        control = Control.reset
        events = 0
        frame = 0
        deviceAddress = 0
        bufferTable = 0
        linkPower = 0
        batteryCharging = 0
        idleFrames = 0
        isDormant = false
        updateLines()
        updateAttachment()
    }

    // MARK: Registers

    /// A register at its offset from the controller's base; the upper half of each slot reads as 0.
    public func read(_ offset: UInt32) -> UInt32 {
        guard offset & 2 == 0 else { return 0 }
        switch offset & ~3 {
        case 0x00...0x1C: return UInt32(endpoints[Int(offset >> 2)].value)
        case 0x40: return UInt32(control)
        case 0x44: return UInt32(interruptStatus)
        case 0x48: return UInt32(frame | lineState)
        case 0x4C: return UInt32(deviceAddress)
        case 0x50: return UInt32(bufferTable)
        case 0x54 where variant.hasLinkPowerManagement: return UInt32(linkPower)
        case 0x58 where variant.hasPullUp: return UInt32(batteryCharging)
        default: return 0
        }
    }

    public func write(_ offset: UInt32, _ value: UInt32) {
        // Polling drivers write the same values again and again.
        guard !isNeutral(offset, value) else { return }
        let value = UInt16(truncatingIfNeeded: value)
        activity &+= 1
        switch offset & ~3 {
        case 0x00...0x1C:
            endpoints[Int(offset >> 2)].write(value)
            updateLines()
        case 0x40: writeControl(value)
        case 0x44:
            events &= value | ~Event.clearable
            updateLines()
        case 0x4C: deviceAddress = value & 0x00FF
        case 0x50: bufferTable = value & 0xFFF8
        case 0x54 where variant.hasLinkPowerManagement: linkPower = value & 0x000B | linkPower & 0x00F0
        case 0x58 where variant.hasPullUp:
            batteryCharging = value & 0x800F
            updateAttachment()
        default: break
        }
        onActivity()
    }

    /// A write that leaves everything as it is.
    func isNeutral(_ offset: UInt32, _ value: UInt32) -> Bool {
        guard offset & 2 == 0 else { return true }
        let value = UInt16(truncatingIfNeeded: value)
        switch offset & ~3 {
        case 0x00...0x1C:
            var register = endpoints[Int(offset >> 2)]
            register.write(value)
            return register == endpoints[Int(offset >> 2)]
        // FRES raises its event again each time.
        case 0x40: return value & implementedControl == control && value & Control.forceReset == 0
        case 0x44: return events & (value | ~Event.clearable) == events
        case 0x4C: return deviceAddress == value & 0x00FF
        case 0x50: return bufferTable == value & 0xFFF8
        case 0x54, 0x58: return false
        default: return true
        }
    }

    private var implementedControl: UInt16 { variant.hasLinkPowerManagement ? 0xFFBF : 0xFF1F }

    private func writeControl(_ value: UInt16) {
        let before = control
        control = value & implementedControl
        if before & Control.forceSuspend == 0, control & Control.forceSuspend != 0 { isDormant = true }
        if control & Control.forceReset != 0 {
            // The block is held in reset; the event is what firmware sees of it.
            resetBlock()
        } else if before & Control.forceSuspend != 0, control & Control.forceSuspend == 0 {
            idleFrames = 0
        }
        updateLines()
        updateAttachment()
    }

    /// What USB reset and FRES do to the registers: endpoints off, pending CTR kept, deaf until DADDR.EF is set.
    func resetBlock() {
        for index in endpoints.indices { endpoints[index].reset() }
        deviceAddress = 0
        events |= Event.reset
        idleFrames = 0
    }

    /// ISTR with what follows from the endpoints: the pending one of highest priority, and its direction.
    var interruptStatus: UInt16 {
        guard let index = pendingEndpoint else { return events }
        let direction: UInt16 = endpoints[index].hasReceived ? 0x10 : 0
        return events | Event.transfer | direction | UInt16(index)
    }

    /// Isochronous and double-buffered endpoints first, then the lowest index (RM0008 section 23.5.2).
    private var pendingEndpoint: Int? {
        var found: Int?
        for index in endpoints.indices where endpoints[index].isPending {
            if endpoints[index].isUrgent { return index }
            if found == nil { found = index }
        }
        return found
    }

    func updateLines() {
        var new = Lines()
        // F103 raises it for transfers whatever CTRM says, as soon as anything else is enabled: boot loaders rely on it.
        let mask = variant.access == .spread && control & 0xFF00 != 0 ? control | Event.transfer : control
        new.low = interruptStatus & mask & 0xFF00 != 0
        new.high = control & Event.transfer != 0 && endpoints.contains { $0.isPending && $0.isUrgent }
        new.wakeUp = events & Event.wakeUp != 0
        guard new != lines else { return }
        lines = new
        linesChanged(new)
    }

    private func updateAttachment() {
        let powered = isClocked && control & Control.powerDown == 0
        let visible =
            variant.hasPullUp
            ? powered && batteryCharging & 0x8000 != 0
            : powered && isBoardPullUpOn && control & Control.forceReset == 0
        guard visible != isAttached else { return }
        isAttached = visible
        if !visible { detachCount &+= 1 }
    }

    // MARK: Packet memory, as the CPU sees it

    /// Reads at an offset from the packet memory's base; `size` is 1, 2 or 4 bytes.
    public func readMemory(_ offset: UInt32, size: Int) -> UInt32 {
        switch variant.access {
        case .packed:
            let low = UInt32(half(at: Int(offset & ~1)))
            if size == 4 { return low | UInt32(half(at: Int(offset & ~1) + 2)) << 16 }
            return size == 1 ? low >> (8 * (offset & 1)) & 0xFF : low
        case .spread:
            guard offset & 2 == 0 else { return 0 }
            let value = UInt32(half(at: Int(offset >> 2) * 2))
            return size == 1 ? value >> (8 * (offset & 1)) & 0xFF : value
        }
    }

    public func writeMemory(_ offset: UInt32, _ value: UInt32, size: Int) {
        let position: Int
        switch variant.access {
        case .packed: position = Int(offset & ~1)
        case .spread:
            guard offset & 2 == 0 else { return }
            position = Int(offset >> 2) * 2
        }
        if size == 1 {
            let shift = 8 * (offset & 1)
            let kept = UInt32(half(at: position)) & ~(0xFF << shift)
            setHalf(at: position, UInt16(truncatingIfNeeded: kept | (value & 0xFF) << shift))
            return
        }
        setHalf(at: position, UInt16(truncatingIfNeeded: value))
        if size == 4, variant.access == .packed { setHalf(at: position + 2, UInt16(truncatingIfNeeded: value >> 16)) }
    }

    /// Bytes that the CPU's window onto the packet memory covers.
    public var memoryWindow: UInt32 { UInt32(variant.packetMemorySize * (variant.access == .spread ? 2 : 1)) }

    // MARK: Packet memory, as the controller sees it

    /// Addresses wrap at the memory's size, as its address lines do.
    func half(at address: Int) -> UInt16 {
        let at = address & (memory.count - 2)
        return UInt16(memory[at]) | UInt16(memory[at + 1]) << 8
    }

    func setHalf(at address: Int, _ value: UInt16) {
        let at = address & (memory.count - 2)
        memory[at] = UInt8(truncatingIfNeeded: value)
        memory[at + 1] = UInt8(truncatingIfNeeded: value >> 8)
    }

    func bytes(at address: Int, count: Int) -> [UInt8] {
        let mask = memory.count - 1
        return (0..<count).map { memory[(address + $0) & mask] }
    }

    func store(_ bytes: ArraySlice<UInt8>, at address: Int) {
        let mask = memory.count - 1
        for (index, byte) in bytes.enumerated() { memory[(address + index) & mask] = byte }
    }
}
