/// UART of the RP2040, an Arm PL011 (RP2040 datasheet 4.2). Bytes leave at once.
final class SerialPortPL011: AtomicRegisterBlock, SerialInput {
    private enum Register {
        static let data: UInt32 = 0x00, flags: UInt32 = 0x18, control: UInt32 = 0x30
        static let mask: UInt32 = 0x38, raw: UInt32 = 0x3C, masked: UInt32 = 0x40, clear: UInt32 = 0x44
    }

    private let interrupts: any InterruptLines
    private let irq: Int
    private var received: [UInt8] = []
    var onTransmit: (UInt8) -> Void = { _ in }

    init(_ name: String, base: UInt32, interrupts: any InterruptLines, irq: Int) {
        self.interrupts = interrupts
        self.irq = irq
        super.init(name, base: base)
    }

    override func reset() {
        super.reset()
        self[Register.control] = 0x300
        self[0x34] = 0x12
        received = []
        updateLine()
    }

    private var isEnabled: Bool { self[Register.control] & 1 == 1 }

    /// RXIM 4, TXIM 5, RTIM 6 by the state of the FIFOs.
    private var status: UInt32 { (isEnabled ? 1 << 5 : 0) | (received.isEmpty ? 0 : 1 << 4 | 1 << 6) }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.data:
            let byte = received.isEmpty ? 0 : received.removeFirst()
            updateLine()
            return UInt32(byte)
        case 0x04: return 0
        // TXFE, RXFE.
        case Register.flags: return 1 << 7 | (received.isEmpty ? 1 << 4 : 0)
        case Register.raw: return status
        case Register.masked: return status & self[Register.mask]
        case 0xFE0..<0x1000: return [0x11, 0x10, 0x34, 0, 0x0D, 0xF0, 0x05, 0xB1][Int(offset - 0xFE0) / 4]
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, _ operation: Operation) {
        switch offset {
        case Register.data: if isEnabled { onTransmit(UInt8(truncatingIfNeeded: value)) }
        case Register.clear, Register.raw, Register.masked, Register.flags: break
        default: keep(offset, value, operation)
        }
        updateLine()
    }

    /// UARTEN and RXE.
    private var isListening: Bool { self[Register.control] & 0x201 == 0x201 }
    var hasUnread: Bool { isListening && !received.isEmpty }

    func receive(_ bytes: [UInt8]) {
        guard isListening else { return }
        received += bytes.prefix(SerialPort.receiveLimit - received.count)
        updateLine()
    }

    private func updateLine() { interrupts.setLine(irq, status & self[Register.mask] != 0) }

    override func isSteady(_ offset: UInt32) -> Bool { offset != Register.data }
}
