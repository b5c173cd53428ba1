/// The FSDEV registers on the bus at 0x40005C00.
final class USBRegisters: Peripheral {
    let name = "USB"
    let base: UInt32 = 0x4000_5C00
    let size: UInt32 = 0x400
    private let controller: FSDEV

    init(_ controller: FSDEV) { self.controller = controller }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { controller.read(offset) }
    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) { controller.write(offset, value) }
    func reset() { controller.reset() }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        controller.isNeutral(offset, value)
    }
}

/// OTG_FS: registers, and a window of 4 KiB for each endpoint's FIFO.
final class OTGRegisters: Peripheral {
    let name = "OTG_FS"
    let base: UInt32 = 0x5000_0000
    let size: UInt32 = 0x4_0000
    private let controller: OTGController

    init(_ controller: OTGController) { self.controller = controller }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 {
        controller.read(offset & ~3) >> (8 * (offset & 3))
    }

    /// The core takes words; narrower writes to a FIFO count as words, and others are not made.
    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) { controller.write(offset & ~3, value) }
    func reset() { controller.reset() }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        controller.isNeutral(offset & ~3, value)
    }

    func isStable(_ offset: UInt32) -> Bool { offset != 0x020 && offset < 0x1000 }
}

/// The packet memory at 0x40006000.
final class USBPacketMemory: Peripheral {
    let name = "USB packet memory"
    let base: UInt32 = 0x4000_6000
    let size: UInt32
    private let controller: FSDEV

    init(_ controller: FSDEV) {
        self.controller = controller
        size = controller.memoryWindow
    }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 {
        controller.readMemory(offset, size: Int(width.rawValue))
    }

    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        controller.writeMemory(offset, value, size: Int(width.rawValue))
    }

    /// Its contents survive a reset.
    func reset() {}
}
