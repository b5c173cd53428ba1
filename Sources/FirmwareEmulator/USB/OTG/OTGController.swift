/// ST's OTG_FS, a Synopsys DWC2 core, as a device without DMA (RM0090 chapter 34, RM0368 chapter 22).
///
/// Registers and FIFOs are the firmware's side; `OTGController+Bus.swift` is the wire's. VBUS is always there.
final class OTGController {
    /// Endpoints of each direction, endpoint 0 among them.
    static let endpointCount = 4
    /// Words of the memory that all FIFOs share.
    static let memoryWords = 320

    /// Level of the controller's interrupt requests.
    struct Lines: Equatable {
        var interrupt = false
        /// The host has ended a suspend; goes to the EXTI line 18.
        var wakeUp = false
    }

    /// GINTSTS.
    enum Event {
        static let otg: UInt32 = 1 << 2
        static let startOfFrame: UInt32 = 1 << 3
        static let receiveLevel: UInt32 = 1 << 4
        static let inNAKEffective: UInt32 = 1 << 6
        static let outNAKEffective: UInt32 = 1 << 7
        static let earlySuspend: UInt32 = 1 << 10
        static let suspend: UInt32 = 1 << 11
        static let reset: UInt32 = 1 << 12
        static let enumerationDone: UInt32 = 1 << 13
        static let endOfPeriodicFrame: UInt32 = 1 << 15
        static let inEndpoints: UInt32 = 1 << 18
        static let outEndpoints: UInt32 = 1 << 19
        static let incompleteIn: UInt32 = 1 << 20
        static let incompleteOut: UInt32 = 1 << 21
        static let sessionRequest: UInt32 = 1 << 30
        static let wakeUp: UInt32 = 1 << 31
        /// Cleared by writing 1.
        static let clearable: UInt32 =
            1 << 1 | startOfFrame | earlySuspend | suspend | reset | enumerationDone | 1 << 14 | endOfPeriodicFrame
            | incompleteIn | incompleteOut | 1 << 28 | 1 << 29 | sessionRequest | wakeUp
    }

    enum DeviceControl {
        static let remoteWakeUp: UInt32 = 1 << 0
        static let softDisconnect: UInt32 = 1 << 1
        static let inNAK: UInt32 = 1 << 2
        static let outNAK: UInt32 = 1 << 3
    }

    var onActivity: () -> Void = {}
    /// Called when a line changes.
    var linesChanged: (Lines) -> Void = { _ in }
    var isClocked = true { didSet { updateAttachment() } }
    /// The pull-up is the controller's own.
    var isBoardPullUpOn = true

    var input = (0..<UInt8(OTGController.endpointCount)).map { OTGEndpoint($0) }
    var output = (0..<UInt8(OTGController.endpointCount)).map { OTGEndpoint($0) }
    var transmit = [TransmitFIFO](repeating: TransmitFIFO(), count: OTGController.endpointCount)
    var receive = ReceiveFIFO()
    var receiveDepth = 0
    var events: UInt32 = 0
    private var interruptMask: UInt32 = 0
    private var ahbConfiguration: UInt32 = 0
    private var usbConfiguration: UInt32 = 0
    private var otgControl: UInt32 = 0
    private var coreConfiguration: UInt32 = 0
    private var coreID: UInt32 = 0
    var deviceConfiguration: UInt32 = 0
    /// Answered too until the status stage of SET_ADDRESS has ended.
    var previousAddress: UInt8?
    var deviceControl: UInt32 = 0
    private var inMask: UInt32 = 0
    private var outMask: UInt32 = 0
    private var endpointMask: UInt32 = 0
    private var emptyMask: UInt32 = 0
    private var clockGating: UInt32 = 0
    var frame: UInt32 = 0
    var idleFrames = 0
    var isSuspended = false
    /// The end of a reset, with the first frame after it, has not come yet.
    var isInReset = false
    private var lines = Lines()
    var activity: UInt64 = 0
    private(set) var isAttached = false
    private(set) var detachCount = 0

    func reset() {
        coreConfiguration = 0
        coreID = 0x1200
        deviceConfiguration = 0x0220_0000
        deviceControl = 0
        clockGating = 0
        softReset()
    }

    /// GRSTCTL.CSRST: everything but the power bits, the speed, and what the pull-up depends on.
    private func softReset() {
        input = (0..<UInt8(Self.endpointCount)).map { OTGEndpoint($0) }
        output = input
        transmit = Array(repeating: TransmitFIFO(), count: Self.endpointCount)
        transmit[0].register = 0x0200
        receive.flush()
        receiveDepth = 0x200
        events = 0
        interruptMask = 0
        ahbConfiguration = 0
        usbConfiguration = 0x1440
        otgControl = 0
        deviceConfiguration &= 0x0220_0003
        deviceControl &= DeviceControl.softDisconnect
        (inMask, outMask, endpointMask, emptyMask) = (0, 0, 0, 0)
        isInReset = false
        isSuspended = false
        idleFrames = 0
        updateAttachment()
        updateLine()
    }

    // MARK: Registers

    /// A word at its offset from the controller's base. Reading GRXSTSP and the FIFOs takes from the receive FIFO.
    func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        // B-device with a valid session.
        case 0x000: otgControl | 1 << 16 | 1 << 19
        case 0x008: ahbConfiguration
        case 0x00C: usbConfiguration
        case 0x010: 1 << 31
        case 0x014: interruptStatus
        case 0x018: interruptMask
        case 0x01C: receive.first?.word ?? 0
        case 0x020: popStatus()
        case 0x024: UInt32(receiveDepth)
        case 0x028: transmit[0].register
        case 0x02C: 0x0008_0000 | UInt32(transmit[0].freeWords)
        case 0x038: coreConfiguration
        case 0x03C: coreID
        case 0x040: 0x4F54_281A
        case 0x048: 0x229D_CD20
        case 0x04C: 0x0200_01E8
        case 0x050: 0x0FF0_8030
        case 0x104...0x10C: transmit[Int(offset - 0x100) / 4].register
        case 0x800: deviceConfiguration
        case 0x804: deviceControl
        // Full speed.
        case 0x808: (isSuspended ? 1 : 0) | 6 | frame << 8
        case 0x810: inMask
        case 0x814: outMask
        case 0x818: endpointInterrupts
        case 0x81C: endpointMask
        case 0x834: emptyMask
        case 0x900..<0xB00: readIn(offset)
        case 0xB00..<0xD00: readOut(offset)
        case 0xE00: clockGating
        case 0x1000..<0x1_1000: readFIFO()
        default: 0
        }
    }

    func write(_ offset: UInt32, _ value: UInt32) {
        activity &+= 1
        switch offset {
        case 0x000: otgControl = value & 0x0000_0FC6
        case 0x008: ahbConfiguration = value & 0x181
        case 0x00C: usbConfiguration = value
        case 0x010: resetControl(value)
        case 0x014: events &= ~(value & Event.clearable)
        case 0x018: interruptMask = value
        case 0x024: receiveDepth = min(Int(value & 0xFFFF), Self.memoryWords)
        case 0x028: transmit[0].register = value
        case 0x038:
            coreConfiguration = value
            updateAttachment()
        case 0x03C: coreID = value
        case 0x104...0x10C: transmit[Int(offset - 0x100) / 4].register = value
        case 0x800:
            // The core keeps to the old address until the status stage is over, however early firmware sets the new one.
            if (value ^ deviceConfiguration) & 0x7F0 != 0 { previousAddress = deviceAddress }
            deviceConfiguration = value
        case 0x804: writeDeviceControl(value)
        case 0x810: inMask = value
        case 0x814: outMask = value
        case 0x81C: endpointMask = value
        case 0x834: emptyMask = value
        case 0x900..<0xB00: writeIn(offset, value)
        case 0xB00..<0xD00: writeOut(offset, value)
        case 0xE00: clockGating = value
        case 0x1000..<0x1_1000: writeFIFO(Int(offset >> 12) - 1, value)
        default: break
        }
        updateLine()
        onActivity()
    }

    /// Masks that polling drivers write again and again.
    func isNeutral(_ offset: UInt32, _ value: UInt32) -> Bool {
        switch offset {
        case 0x008: ahbConfiguration == value & 0x181
        case 0x014: events & value & Event.clearable == 0
        case 0x018: interruptMask == value
        case 0x810: inMask == value
        case 0x814: outMask == value
        case 0x81C: endpointMask == value
        case 0x834: emptyMask == value
        default: false
        }
    }

    private func resetControl(_ value: UInt32) {
        if value & 1 != 0 { softReset() }
        if value & 1 << 4 != 0 { receive.flush() }
        if value & 1 << 5 != 0 {
            let number = Int(value >> 6 & 0x1F)
            for index in transmit.indices where number == 0x10 || number == index { transmit[index].flush() }
        }
    }

    private func writeDeviceControl(_ value: UInt32) {
        let status = deviceControl & (DeviceControl.inNAK | DeviceControl.outNAK)
        // The bits that set and clear the NAKs read as 0.
        deviceControl = value & 0x0873 & ~(DeviceControl.inNAK | DeviceControl.outNAK) | status
        if value & 1 << 7 != 0 { deviceControl |= DeviceControl.inNAK }
        if value & 1 << 8 != 0 { deviceControl &= ~DeviceControl.inNAK }
        if value & 1 << 9 != 0 { deviceControl |= DeviceControl.outNAK }
        if value & 1 << 10 != 0 { deviceControl &= ~DeviceControl.outNAK }
        updateAttachment()
    }

    // MARK: Endpoints

    private func readIn(_ offset: UInt32) -> UInt32 {
        let index = Int(offset - 0x900) >> 5
        guard input.indices.contains(index) else { return 0 }
        return switch offset & 0x1F {
        case 0x00: input[index].control
        case 0x08: inInterrupt(index)
        case 0x10: input[index].transferSize
        case 0x18: UInt32(transmit[fifo(of: index)].freeWords)
        default: 0
        }
    }

    private func readOut(_ offset: UInt32) -> UInt32 {
        let index = Int(offset - 0xB00) >> 5
        guard output.indices.contains(index) else { return 0 }
        return switch offset & 0x1F {
        case 0x00: output[index].control
        case 0x08: output[index].interrupt
        case 0x10: output[index].transferSize
        default: 0
        }
    }

    private func writeIn(_ offset: UInt32, _ value: UInt32) {
        let index = Int(offset - 0x900) >> 5
        guard input.indices.contains(index) else { return }
        switch offset & 0x1F {
        case 0x00: _ = input[index].writeControl(value)
        case 0x08: input[index].interrupt &= ~(value & OTGEndpoint.Interrupt.clearable)
        case 0x10: input[index].transferSize = value
        default: break
        }
    }

    private func writeOut(_ offset: UInt32, _ value: UInt32) {
        let index = Int(offset - 0xB00) >> 5
        guard output.indices.contains(index) else { return }
        switch offset & 0x1F {
        case 0x00: _ = output[index].writeControl(value)
        case 0x08: output[index].interrupt &= ~(value & OTGEndpoint.Interrupt.clearable)
        case 0x10: output[index].transferSize = value
        default: break
        }
    }

    /// The transmit FIFO of an IN endpoint, by TXFNUM; endpoint 0 has FIFO 0.
    func fifo(of index: Int) -> Int { index == 0 ? 0 : min(input[index].fifo, Self.endpointCount - 1) }

    /// DIEPINT with the bits that are levels.
    private func inInterrupt(_ index: Int) -> UInt32 {
        let fifo = transmit[fifo(of: index)]
        let isEmpty = ahbConfiguration & 1 << 7 != 0 ? fifo.usedWords == 0 : fifo.usedWords * 2 <= fifo.depth
        return input[index].interrupt | (input[index].isNAKing ? OTGEndpoint.Interrupt.nakEffective : 0)
            | (isEmpty ? OTGEndpoint.Interrupt.fifoEmpty : 0)
    }

    // MARK: FIFOs

    private func popStatus() -> UInt32 {
        guard let entry = receive.pop() else { return 0 }
        activity &+= 1
        switch entry.status {
        case .setupDone: output[Int(entry.endpoint)].interrupt |= OTGEndpoint.Interrupt.setupDone
        case .outDone: output[Int(entry.endpoint)].interrupt |= OTGEndpoint.Interrupt.complete
        case .setupData, .outData: break
        }
        updateLine()
        onActivity()
        return entry.word
    }

    private func readFIFO() -> UInt32 { receive.readWord() }

    private func writeFIFO(_ number: Int, _ value: UInt32) {
        guard transmit.indices.contains(number),
            let index = input.indices.first(where: { fifo(of: $0) == number && input[$0].isEnabled })
        else { return }
        let length = min(input[index].packetSize, Int(input[index].size))
        if transmit[number].push(value, packetLength: length) { input[index].size -= UInt32(length) }
    }

    // MARK: Interrupts

    private var endpointInterrupts: UInt32 {
        var value: UInt32 = 0
        for index in input.indices {
            let wanted = inMask & ~OTGEndpoint.Interrupt.fifoEmpty
            let level = emptyMask >> UInt32(index) & 1 != 0 ? OTGEndpoint.Interrupt.fifoEmpty : 0
            if inInterrupt(index) & (wanted | level) != 0 { value |= 1 << UInt32(index) }
            if output[index].interrupt & outMask != 0 { value |= 1 << UInt32(index + 16) }
        }
        return value
    }

    private var interruptStatus: UInt32 {
        let pending = endpointInterrupts & endpointMask
        return events | 1 << 5 | 1 << 26 | (receive.isEmpty ? 0 : Event.receiveLevel)
            | (deviceControl & DeviceControl.inNAK != 0 ? Event.inNAKEffective : 0)
            | (deviceControl & DeviceControl.outNAK != 0 ? Event.outNAKEffective : 0)
            | (pending & 0xFFFF != 0 ? Event.inEndpoints : 0) | (pending >> 16 != 0 ? Event.outEndpoints : 0)
            // Forced host mode.
            | usbConfiguration >> 29 & 1
    }

    func updateLine() {
        let new = Lines(
            interrupt: ahbConfiguration & 1 != 0 && interruptStatus & interruptMask != 0,
            wakeUp: events & Event.wakeUp != 0)
        guard new != lines else { return }
        lines = new
        linesChanged(new)
    }

    private func updateAttachment() {
        let visible = isPowered && deviceControl & DeviceControl.softDisconnect == 0
        guard visible != isAttached else { return }
        isAttached = visible
        if visible { events |= Event.sessionRequest } else { detachCount &+= 1 }
    }

    /// Clocked, and the transceiver is switched on (GCCFG.PWRDWN).
    var isPowered: Bool { isClocked && coreConfiguration & 1 << 16 != 0 && usbConfiguration & 1 << 29 == 0 }
}
