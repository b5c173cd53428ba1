/// What is common to the UARTs: bytes that firmware sent, and bytes to be received.
class SerialPort: RegisterBlock {
    /// Called with each byte that firmware sends.
    var onTransmit: (UInt8) -> Void = { _ in }
    private(set) var received: [UInt8] = []
    /// Bytes that may wait for firmware to read them.
    static let receiveLimit = 4096

    /// The receiver is on.
    var isListening: Bool { false }
    var hasUnread: Bool { isListening && !received.isEmpty }

    /// Gives firmware bytes to receive; more than fit are lost, as on a wire, and all while it does not listen.
    func receive(_ bytes: [UInt8]) {
        guard isListening else { return }
        received += bytes.prefix(Self.receiveLimit - received.count)
        update()
    }

    func nextReceived() -> UInt8 {
        let byte = received.isEmpty ? 0 : received.removeFirst()
        update()
        return byte
    }

    /// Recomputes the interrupt line.
    func update() {}

    override func reset() {
        super.reset()
        received = []
        update()
    }
}

/// USART of F0 and F3: ISR, ICR, TDR, RDR (RM0091 chapter 27). Bytes leave at once.
final class USART: SerialPort {
    private let interrupts: any InterruptLines
    private let irq: Int

    init(_ name: String, base: UInt32, interrupts: any InterruptLines, irq: Int) {
        self.interrupts = interrupts
        self.irq = irq
        super.init(name, base: base)
    }

    private var isEnabled: Bool { self[0x00] & 1 != 0 }
    /// UE and RE.
    override var isListening: Bool { self[0x00] & 5 == 5 }

    /// TXE, TC, RXNE; TEACK and REACK follow TE and RE.
    private var status: UInt32 {
        var value: UInt32 = 0xC0
        if isEnabled { value |= (self[0x00] >> 3 & 1) << 21 | (self[0x00] >> 2 & 1) << 22 }
        if !received.isEmpty, isEnabled { value |= 0x20 }
        return value
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x1C: status
        case 0x20, 0x18: 0
        case 0x24: UInt32(nextReceived())
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x1C, 0x20, 0x24: break
        case 0x28: if isEnabled { onTransmit(UInt8(truncatingIfNeeded: value)) }
        default: keep(offset, value, mask: mask)
        }
        update()
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x24 }

    override func update() {
        // TXEIE 7, TCIE 6, RXNEIE 5 are at the places of their flags.
        interrupts.setLine(irq, isEnabled && status & self[0x00] & 0xE0 != 0)
    }
}

/// USART of F1: SR and DR (RM0008 chapter 27).
final class USARTF1: SerialPort {
    private let interrupts: any InterruptLines
    private let irq: Int

    init(_ name: String, base: UInt32, interrupts: any InterruptLines, irq: Int) {
        self.interrupts = interrupts
        self.irq = irq
        super.init(name, base: base)
    }

    private var isEnabled: Bool { self[0x0C] & 0x2000 != 0 }
    /// UE and RE.
    override var isListening: Bool { self[0x0C] & 0x2004 == 0x2004 }
    private var status: UInt32 { !received.isEmpty && isEnabled ? 0xE0 : 0xC0 }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x00: status
        case 0x04: UInt32(nextReceived())
        default: self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x00: break
        case 0x04: if isEnabled { onTransmit(UInt8(truncatingIfNeeded: value)) }
        default: keep(offset, value, mask: mask)
        }
        update()
    }

    override func isStable(_ offset: UInt32) -> Bool { offset != 0x04 }

    override func update() { interrupts.setLine(irq, isEnabled && status & self[0x0C] & 0xE0 != 0) }
}
