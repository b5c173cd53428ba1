/// The registers of the RP2040's USB controller on the bus of its machine.
final class RPUSBRegisters: AtomicRegisterBlock {
    private let controller: RPUSBController

    init(_ controller: RPUSBController) {
        self.controller = controller
        super.init("USBCTRL_REGS", base: 0x5011_0000, used: 4)
    }

    override func reset() { controller.reset() }
    override func load(_ offset: UInt32) -> UInt32 { controller.read(offset) }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        controller.write(offset, value, operation)
    }

    override func isNeutral(_ offset: UInt32, value: UInt32, _ operation: Operation) -> Bool {
        controller.isNeutral(offset, value, operation)
    }

    /// MAIN_CTRL, which drivers read to know whether they are a host's.
    override func isReadFreely(_ offset: UInt32) -> Bool { offset == 0x40 }

    /// SOF_RD is read and clear.
    override func isSteady(_ offset: UInt32) -> Bool { offset != 0x48 }
}

/// The dual-port memory, which firmware writes by bytes, halfwords and words.
final class RPUSBMemory: Peripheral {
    let name = "USBCTRL_DPRAM"
    let base: UInt32 = 0x5010_0000
    let size = UInt32(RPUSBController.memorySize)
    private let controller: RPUSBController

    init(_ controller: RPUSBController) { self.controller = controller }

    func reset() { controller.memory.update(repeating: 0, count: RPUSBController.memorySize) }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 {
        controller.word(at: Int(offset)) >> (8 * (offset & 3))
    }

    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        let shift = 8 * (offset & 3)
        let old = controller.word(at: Int(offset))
        controller.setWord(at: Int(offset), old & ~(width.mask << shift) | value << shift)
        // Buffer and endpoint control words; what is in a buffer matters only with them.
        if offset < 0x100 { controller.touched() }
    }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        read(offset, width: width) & width.mask == value
    }
}
