/// The system control space at 0xE000E000: SysTick, NVIC, SCB, FPU control (ARMv7-M ARM B3.2). Also byte accesses.
final class SystemControl: Peripheral {
    let name = "SCS"
    let base: UInt32 = 0xE000_E000
    let size: UInt32 = 0x1000

    private unowned let machine: Machine
    private let tick: SysTick
    private var vector: UInt32 = 0
    /// SCB.CCR: STKALIGN 9, DIV_0_TRP 4, UNALIGN_TRP 3.
    private(set) var configuration: UInt32 = 0x200
    /// SCB.SCR: SEVONPEND 4, SLEEPDEEP 2, SLEEPONEXIT 1.
    private(set) var sleepControl: UInt32 = 0
    /// SCB.SHCSR, the enable bits only.
    private(set) var handlerControl: UInt32 = 0
    /// SCB.CFSR, HFSR, MMFAR, BFAR.
    private var faultStatus: UInt32 = 0
    var hardFaultStatus: UInt32 = 0
    private var memoryFaultAddress: UInt32 = 0
    private var busFaultAddress: UInt32 = 0
    /// SCB.CPACR.
    private(set) var coprocessorAccess: UInt32 = 0
    private(set) var floatContextControl: UInt32 = 0xC000_0000
    private var floatContextAddress: UInt32 = 0
    private(set) var floatDefaults: UInt32 = 0
    /// DEMCR and others without an effect here: read back as written.
    private var storage: [UInt32: UInt32] = [:]

    private typealias Number = InterruptController.Number
    private var controller: InterruptController { machine.controller }

    init(machine: Machine) {
        self.machine = machine
        tick = SysTick(clock: machine.clock) { [unowned machine] in machine.controller.setPending(Number.sysTick) }
    }

    /// Sets VTOR as firmware would.
    func setVectorTable(_ address: UInt32) { if machine.model.hasVTOR { vector = address & 0xFFFF_FF80 } }

    /// Where the vectors are: VTOR, or 0 where the core has none.
    var vectorTable: UInt32 { vector }
    var isFloatEnabled: Bool { machine.model.hasFPU && coprocessorAccess >> 20 & 3 == 3 }

    func reset() {
        tick.reset()
        vector = 0
        configuration = 0x200
        sleepControl = 0
        handlerControl = 0
        faultStatus = 0
        hardFaultStatus = 0
        coprocessorAccess = 0
        floatContextControl = 0xC000_0000
        floatDefaults = 0
        storage = [:]
    }

    func isStable(_ offset: UInt32) -> Bool {
        switch offset & ~3 {
        case 0x18: false
        case 0x10: !tick.isCountFlagSet
        default: true
        }
    }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        // Enable bits are compared as a whole when the loop has come round.
        switch offset & ~3 {
        case 0x100..<0x120, 0x180..<0x1A0: true
        case 0x280..<0x2A0: pendingWord(offset & 0x1C) & value << (offset & 3 * 8) == 0
        case 0xD04: value == 0
        default: false
        }
    }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 {
        readWord(offset & ~3) >> ((offset & 3) * 8)
    }

    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        let shift = (offset & 3) * 8
        writeWord(offset & ~3, value << shift, mask: width.mask << shift)
    }

    // MARK: Reading

    private func readWord(_ offset: UInt32) -> UInt32 {
        let isV7 = machine.model.isV7
        switch offset {
        case 0x004: return UInt32(controller.externalCount + 31) / 32 &- 1
        case 0x010: return tick.readControl()
        case 0x014: return tick.reload
        case 0x018: return tick.value
        case 0x01C: return 0x4000_0000 | UInt32(truncatingIfNeeded: machine.clock.hertz / 800 - 1) & 0xFF_FFFF
        case 0x100..<0x120, 0x180..<0x1A0: return external(controller.enabled, offset)
        case 0x200..<0x220, 0x280..<0x2A0: return pendingWord(offset & 0x1C)
        case 0x300..<0x320: return isV7 ? external(controller.active, offset) : 0
        case 0x400..<0x4F0: return priorities(from: Int(offset - 0x400) + Number.external)
        case 0xD00: return machine.model.cpuid
        case 0xD04: return interruptState
        case 0xD08: return vector
        case 0xD0C: return 0xFA05_0000 | (isV7 ? controller.priorityGroup << 8 : 0)
        case 0xD10: return sleepControl
        case 0xD14: return configuration
        case 0xD18, 0xD1C, 0xD20: return priorities(from: Int(offset - 0xD18) + 4)
        case 0xD24: return handlerState
        case 0xD28: return faultStatus
        case 0xD2C: return hardFaultStatus
        case 0xD34: return memoryFaultAddress
        case 0xD38: return busFaultAddress
        case 0xD88: return coprocessorAccess
        case 0xF34 where machine.model.hasFPU: return floatContextControl
        case 0xF38 where machine.model.hasFPU: return floatContextAddress
        case 0xF3C where machine.model.hasFPU: return floatDefaults
        case 0xF40 where machine.model.hasFPU: return 0x1011_0021
        case 0xF44 where machine.model.hasFPU: return 0x1100_0011
        // Identification of the core: MPU_TYPE says that there is no MPU.
        case 0xD40 where isV7: return 0x30
        case 0xD44 where isV7: return 0x200
        case 0xD48 where isV7: return 0x10_0000
        case 0xD50 where isV7: return 0x10_0030
        case 0xD5C where isV7: return 0x100_0000
        case 0xD60 where isV7: return 0x110_1110
        case 0xD64 where isV7: return 0x2112000
        case 0xD68 where isV7: return 0x2123_2231
        case 0xD6C where isV7: return 0x111_1131
        case 0xD70 where isV7: return 0x131_0132
        case 0xD90: return 0
        default: return storage[offset] ?? 0
        }
    }

    /// 32 external interrupts from the register's place in its row.
    private func external(_ bits: InterruptController.Bits, _ offset: UInt32) -> UInt32 {
        let index = Int(offset & 0x1C) / 4
        let low = bits.words[index] >> 16
        return index < 7 ? low | bits.words[index + 1] << 16 : low
    }

    private func pendingWord(_ offset: UInt32) -> UInt32 { external(controller.pending, offset) }

    private func priorities(from first: Int) -> UInt32 {
        (0..<4).reduce(0) { word, index in
            first + index < InterruptController.count
                ? word | UInt32(controller.priorities[first + index]) << UInt32(index * 8) : word
        }
    }

    private var interruptState: UInt32 {
        var value = machine.ipsr
        if let next = controller.highestPending() { value |= UInt32(next.number) << 12 }
        var external = controller.pending.words
        external[0] &= 0xFFFF_0000
        if external != SIMD8() { value |= 1 << 22 }
        if controller.pending[Number.sysTick] { value |= 1 << 26 }
        if controller.pending[Number.pendSV] { value |= 1 << 28 }
        if controller.pending[Number.nmi] { value |= 1 << 31 }
        let activeCount = (0..<8).reduce(0) { $0 + controller.active.words[$1].nonzeroBitCount }
        if machine.model.isV7, activeCount <= 1 { value |= 1 << 11 }
        return value
    }

    private var handlerState: UInt32 {
        guard machine.model.isV7 else { return controller.pending[Number.supervisorCall] ? 1 << 15 : 0 }
        let active: [(Int, UInt32)] = [
            (Number.memoryManagement, 0), (Number.busFault, 1), (Number.usageFault, 3), (Number.supervisorCall, 7),
            (Number.debugMonitor, 8), (Number.pendSV, 10), (Number.sysTick, 11),
        ]
        let pending: [(Int, UInt32)] = [
            (Number.usageFault, 12), (Number.memoryManagement, 13), (Number.busFault, 14), (Number.supervisorCall, 15),
        ]
        var value = handlerControl
        for (number, bit) in active where controller.active[number] { value |= 1 << bit }
        for (number, bit) in pending where controller.pending[number] { value |= 1 << bit }
        return value
    }

    // MARK: Writing

    private func writeWord(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        func merged(_ old: UInt32) -> UInt32 { old & ~mask | value & mask }
        let isV7 = machine.model.isV7
        switch offset {
        case 0x010: tick.write(control: merged(tick.readControl()))
        case 0x014: tick.write(reload: merged(tick.reload))
        case 0x018: tick.clearValue()
        case 0x100..<0x120: each(value, offset) { controller.enabled[$0] = true }
        case 0x180..<0x1A0: each(value, offset) { controller.enabled[$0] = false }
        case 0x200..<0x220: each(value, offset) { controller.setPending($0) }
        case 0x280..<0x2A0: each(value, offset) { controller.clearPending($0) }
        case 0x400..<0x4F0: write(priorities: value, mask, from: Int(offset - 0x400) + Number.external)
        case 0xD04: write(interruptState: value)
        case 0xD08: if machine.model.hasVTOR { vector = merged(vector) & 0xFFFF_FF80 }
        case 0xD0C:
            guard value >> 16 == 0x05FA else { return }
            if isV7 { controller.priorityGroup = value >> 8 & 7 }
            if value & 4 != 0 { machine.requestReset() }
        case 0xD10: sleepControl = merged(sleepControl) & 0x16
        case 0xD14: if isV7 { configuration = merged(configuration) & 0x31B }
        case 0xD18, 0xD1C, 0xD20: write(priorities: value, mask, from: Int(offset - 0xD18) + 4)
        case 0xD24: if isV7 { write(handlerState: merged(handlerState)) }
        case 0xD28: faultStatus &= ~value
        case 0xD2C: hardFaultStatus &= ~value
        case 0xD34: memoryFaultAddress = merged(memoryFaultAddress)
        case 0xD38: busFaultAddress = merged(busFaultAddress)
        case 0xD88: if machine.model.hasFPU { coprocessorAccess = merged(coprocessorAccess) & 0x00F0_0000 }
        case 0xF00: if value & 0x1FF < UInt32(controller.externalCount) { controller.pend(Int(value & 0x1FF)) }
        case 0xF34: floatContextControl = merged(floatContextControl)
        case 0xF38: floatContextAddress = merged(floatContextAddress)
        case 0xF3C: floatDefaults = merged(floatDefaults) & 0x07C0_0000
        case 0xD00, 0xD40..<0xD88, 0xD90..<0xDF0, 0x004, 0x01C: break
        default: storage[offset] = merged(storage[offset] ?? 0)
        }
    }

    private func each(_ value: UInt32, _ offset: UInt32, _ change: (Int) -> Void) {
        let first = Int(offset & 0x1C) * 8 + Number.external
        for bit in 0..<32 where value >> UInt32(bit) & 1 != 0 {
            let number = first + bit
            if number < Number.external + controller.externalCount, number < InterruptController.count {
                change(number)
            }
        }
        controller.onChange?()
    }

    private func write(priorities value: UInt32, _ mask: UInt32, from first: Int) {
        let existing = UInt8(truncatingIfNeeded: 0xFF << (8 - machine.model.priorityBits))
        for index in 0..<4 where mask >> UInt32(index * 8) & 0xFF != 0 && first + index < InterruptController.count {
            let number = first + index
            guard machine.model.isV7 || number >= 11 else { continue }
            controller.priorities[number] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8)) & existing
        }
        controller.onChange?()
    }

    private func write(interruptState value: UInt32) {
        if value & 1 << 31 != 0 { controller.setPending(Number.nmi) }
        if value & 1 << 28 != 0 { controller.setPending(Number.pendSV) }
        if value & 1 << 27 != 0 { controller.pending[Number.pendSV] = false }
        if value & 1 << 26 != 0 { controller.setPending(Number.sysTick) }
        if value & 1 << 25 != 0 { controller.pending[Number.sysTick] = false }
    }

    private func write(handlerState value: UInt32) {
        handlerControl = value & 0x70000
        controller.pending[Number.supervisorCall] = value & 1 << 15 != 0
        controller.onChange?()
    }

    // MARK: Faults

    /// Sets the status bits of a fault (B3.2.15 to B3.2.18).
    func note(_ fault: Fault) {
        switch fault {
        case .undefined: faultStatus |= 1 << 16
        case .invalidState: faultStatus |= 1 << 17
        case .invalidReturn: faultStatus |= 1 << 18
        case .noCoprocessor: faultStatus |= 1 << 19
        case .unaligned: faultStatus |= 1 << 24
        case .divisionByZero: faultStatus |= 1 << 25
        case .bus(let address, _):
            faultStatus |= 1 << 9 | 1 << 15
            busFaultAddress = address
        case .fetch: faultStatus |= 1 << 8
        case .breakpoint: hardFaultStatus |= 1 << 31
        case .supervisorCall: break
        }
    }

    /// The enable bits, for finding out whether a loop left them as it found them.
    var enabledBits: InterruptController.Bits { controller.enabled }
}
