/// bxCAN alone on its bus: what it sends comes back in loopback mode, and is never acknowledged otherwise
/// (RM0091 chapter 29, RM0008 chapter 24).
final class CANController: RegisterBlock {
    struct Interrupts {
        var transmit: Int
        var receive0: Int
        var receive1: Int
        var status: Int
    }

    /// A frame as it lies in a mailbox.
    private struct Frame {
        var identifier: UInt32
        var length: UInt32
        var low: UInt32
        var high: UInt32
    }

    private let interrupts: any InterruptLines
    private let irqs: Interrupts
    private var fifos: [[Frame]] = [[], []]
    private var overruns = [false, false]

    init(interrupts: any InterruptLines, irqs: Interrupts) {
        self.interrupts = interrupts
        self.irqs = irqs
        super.init("CAN", base: 0x4000_6400)
    }

    private enum Master {
        static let initialize: UInt32 = 1 << 0
        static let sleep: UInt32 = 1 << 1
        static let reset: UInt32 = 1 << 15
    }

    override func reset() {
        super.reset()
        self[0x000] = 0x0001_0002
        self[0x004] = 0x0000_0C02
        self[0x008] = 0x1C00_0000
        self[0x01C] = 0x0123_0000
        self[0x200] = 0x2A1C_0E01
        fifos = [[], []]
        overruns = [false, false]
        updateLines()
    }

    override func load(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x00C, 0x010:
            let index = offset == 0x00C ? 0 : 1
            return UInt32(fifos[index].count) | (fifos[index].count == 3 ? 8 : 0) | (overruns[index] ? 0x10 : 0)
        case 0x1B0...0x1CC:
            let index = offset < 0x1C0 ? 0 : 1
            guard let frame = fifos[index].first else { return 0 }
            return switch offset & 0xF {
            case 0: frame.identifier & ~1
            case 4: frame.length & 0xF
            case 8: frame.low
            default: frame.high
            }
        default: return self[offset]
        }
    }

    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        switch offset {
        case 0x000:
            if value & mask & Master.reset != 0 { return reset() }
            keep(offset, value, mask: mask)
            // Acknowledged at once: INAK follows INRQ, SLAK follows SLEEP.
            let acknowledged =
                self[0] & Master.initialize != 0 ? UInt32(1) : self[0] & Master.sleep != 0 ? 2 : 0
            self[0x004] = self[0x004] & ~3 | acknowledged
            if acknowledged == 0 { sendAll() }
        case 0x004: self[0x004] &= ~(value & mask & 0x1C)
        case 0x008: transmitStatus(value & mask)
        case 0x00C, 0x010:
            let index = offset == 0x00C ? 0 : 1
            if value & 0x20 != 0, !fifos[index].isEmpty { fifos[index].removeFirst() }
            if value & 0x10 != 0 { overruns[index] = false }
        case 0x180, 0x190, 0x1A0:
            keep(offset, value, mask: mask)
            if self[offset] & 1 != 0 {
                self[0x008] &= ~(1 << (26 + (offset - 0x180) / 16))
                sendAll()
            }
        case 0x1B0...0x1CC: break
        case 0x018: keep(offset, value & 0x70, mask: mask)
        default: keep(offset, value, mask: mask)
        }
        updateLines()
    }

    /// RQCP is cleared by writing 1, ABRQ takes a waiting mailbox back.
    private func transmitStatus(_ value: UInt32) {
        for box in 0..<UInt32(3) {
            if value >> (box * 8) & 1 == 1 { self[0x008] &= ~(0xF << (box * 8)) }
            if value >> (box * 8 + 7) & 1 == 1, self[0x180 + box * 16] & 1 == 1 {
                self[0x180 + box * 16] &= ~1
                self[0x008] |= 1 << (box * 8) | 1 << (26 + box)
            }
        }
    }

    private func sendAll() {
        guard self[0x004] & 3 == 0 else { return }
        for box in 0..<UInt32(3) where self[0x180 + box * 16] & 1 == 1 {
            let place = 0x180 + box * 16
            // Silent without loopback neither sends nor hears; alone on a bus nobody acknowledges.
            guard self[0x01C] & (1 << 30) != 0 else { continue }
            let frame = Frame(
                identifier: self[place], length: self[place + 4], low: self[place + 8], high: self[place + 12])
            self[place] &= ~1
            self[0x008] |= 3 << (box * 8) | 1 << (26 + box)
            receive(frame)
        }
    }

    private func receive(_ frame: Frame) {
        guard let index = acceptingFIFO(frame) else { return }
        if fifos[index].count < 3 {
            fifos[index].append(frame)
        } else {
            overruns[index] = true
            // Without RFLM the last frame is overwritten.
            if self[0] & 8 == 0 { fifos[index][2] = frame }
        }
    }

    /// The FIFO of the first active filter bank that lets the frame through (RM0008 section 24.7.4).
    private func acceptingFIFO(_ frame: Frame) -> Int? {
        for bank in 0..<UInt32(14) where self[0x21C] >> bank & 1 == 1 {
            let first = self[0x240 + bank * 8]
            let second = self[0x244 + bank * 8]
            let isList = self[0x204] >> bank & 1 == 1
            let is32Bit = self[0x20C] >> bank & 1 == 1
            let value = is32Bit ? frame.identifier & ~1 : shortIdentifier(frame.identifier)
            let matches: Bool =
                if is32Bit {
                    isList ? value == first & ~1 || value == second & ~1 : value & second & ~1 == first & second & ~1
                } else if isList {
                    [first & 0xFFFF, first >> 16, second & 0xFFFF, second >> 16].contains(value)
                } else {
                    value & (first >> 16) == first & 0xFFFF & (first >> 16)
                        || value & (second >> 16) == second & 0xFFFF & (second >> 16)
                }
            if matches { return self[0x214] >> bank & 1 == 1 ? 1 : 0 }
        }
        return nil
    }

    /// STID, RTR, IDE, EXID 17…15 as 16-bit filters see them.
    private func shortIdentifier(_ identifier: UInt32) -> UInt32 {
        (identifier >> 21) << 5 | (identifier >> 1 & 1) << 4 | (identifier >> 2 & 1) << 3 | identifier >> 18 & 7
    }

    private func updateLines() {
        let enabled = self[0x014]
        var levels: [Int: Bool] = [:]
        func add(_ irq: Int, _ isHigh: Bool) { levels[irq, default: false] = levels[irq, default: false] || isHigh }
        add(irqs.transmit, enabled & 1 != 0 && self[0x008] & 0x0001_0101 != 0)
        for (index, irq) in [irqs.receive0, irqs.receive1].enumerated() {
            let shift = UInt32(index * 3)
            let isPending =
                enabled >> (1 + shift) & 1 == 1 && !fifos[index].isEmpty
                || enabled >> (2 + shift) & 1 == 1 && fifos[index].count == 3
                || enabled >> (3 + shift) & 1 == 1 && overruns[index]
            add(irq, isPending)
        }
        add(irqs.status, false)
        for (irq, isHigh) in levels { interrupts.setLine(irq, isHigh) }
    }
}
