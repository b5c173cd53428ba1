/// XIP_SSI with the serial flash behind it, as boot2 and the SDK's flash functions use it (RP2040 datasheet 4.10).
///
/// Reading through the address map needs none of this. What goes through DR0 is answered byte by byte.
final class FlashInterfaceRP2040: Peripheral {
    private enum Register {
        static let enable: UInt32 = 0x08, received: UInt32 = 0x24, status: UInt32 = 0x28, identity: UInt32 = 0x58
        static let version: UInt32 = 0x5C, data: UInt32 = 0x60
    }

    let name = "XIP_SSI"
    let base: UInt32 = 0x1800_0000
    /// Like an APB peripheral it is seen four times, for atomic changes too: MicroPython's flash timing uses them.
    let size: UInt32 = 0x4000

    private static let queueLimit = 16
    private let chip: SerialFlash
    private var words = [UInt32](repeating: 0, count: 64)
    private var answers: [UInt8] = []
    /// IO_QSPI's override holds the select low: the command goes on.
    var isSelectHeld = false { didSet { if oldValue, !isSelectHeld { chip.deselect() } } }

    init(chip: SerialFlash) { self.chip = chip }

    func reset() {
        words = Array(repeating: 0, count: 64)
        answers = []
        chip.deselect()
    }

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { word(offset & 0xFC) >> (8 * (offset & 3)) }

    private func word(_ offset: UInt32) -> UInt32 {
        switch offset {
        case Register.received: return UInt32(answers.count)
        case Register.status:
            // Sent in no time; without the override the select goes up then.
            if !isSelectHeld { chip.deselect() }
            return 2 | 4 | (answers.isEmpty ? 0 : 8)
        case Register.identity: return 0x5153_5049
        case Register.version: return 0x3430_312A
        case Register.data..<0xF0: return answers.isEmpty ? 0 : UInt32(answers.removeFirst())
        default: return words[Int(offset / 4)]
        }
    }

    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        let index = Int(offset & 0xFC) / 4
        let operation = AtomicRegisterBlock.Operation(rawValue: offset >> 12 & 3) ?? .write
        switch offset & 0xFC {
        case Register.data..<0xF0:
            let answer = chip.exchange(UInt8(truncatingIfNeeded: value))
            if answers.count < Self.queueLimit { answers.append(answer) }
        default:
            words[index] = AtomicRegisterBlock.merged(words[index], value, operation)
            if offset & 0xFC == Register.enable, words[index] & 1 == 0 { answers = [] }
        }
    }

    func isStable(_ offset: UInt32) -> Bool { offset & 0xFC < Register.received || offset & 0xFC == Register.identity }
}

/// A W25Q serial flash: identification, status, and the commands that change it (Winbond W25Q16JV datasheet, chapter 8).
final class SerialFlash {
    private enum Command {
        static let writeStatus1: UInt8 = 0x01, program: UInt8 = 0x02, read: UInt8 = 0x03, writeDisable: UInt8 = 0x04
        static let status1: UInt8 = 0x05, writeEnable: UInt8 = 0x06, fastRead: UInt8 = 0x0B, status2: UInt8 = 0x35
        static let writeStatus2: UInt8 = 0x31, eraseSector: UInt8 = 0x20, unique: UInt8 = 0x4B
        static let eraseHalf: UInt8 = 0x52, eraseBlock: UInt8 = 0xD8, jedec: UInt8 = 0x9F
    }

    private let flash: MemoryRegion
    private let identity: UInt64
    /// Bytes of the present command that have been seen, as far as they matter.
    private var header: [UInt8] = []
    private var count = 0
    private var isWritable = false
    private var page: [UInt8] = []
    /// QE is set, as on boards that have come from a shop.
    private var status2: UInt8 = 2
    var onChange: (UInt32, UInt32) -> Void = { _, _ in }

    init(flash: MemoryRegion, identity: UInt64) {
        self.flash = flash
        self.identity = identity
    }

    /// Capacity as JEDEC's third byte says it.
    private var capacity: UInt8 { UInt8(truncatingIfNeeded: flash.size.trailingZeroBitCount) }

    private var address: UInt32 {
        guard header.count >= 4 else { return 0 }
        return (UInt32(header[1]) << 16 | UInt32(header[2]) << 8 | UInt32(header[3])) & (flash.size - 1)
    }

    /// One byte each way.
    func exchange(_ byte: UInt8) -> UInt8 {
        let position = count
        count += 1
        if header.count < 5 { header.append(byte) }
        guard position > 0 else { return 0xFF }
        switch header[0] {
        case Command.status1: return isWritable ? 2 : 0
        case Command.status2: return status2
        case Command.writeStatus2: status2 = isWritable ? byte | 2 : status2
        case Command.jedec: return [0xEF, 0x40, capacity][min(position - 1, 2)]
        case Command.unique:
            return position >= 5 ? UInt8(truncatingIfNeeded: identity >> UInt64((12 - min(position, 12)) * 8)) : 0xFF
        case Command.read where position >= 4: return byteAt(position - 4)
        case Command.fastRead where position >= 5: return byteAt(position - 5)
        case Command.program where position >= 4 && page.count < 256: page.append(byte)
        default: break
        }
        return 0xFF
    }

    private func byteAt(_ index: Int) -> UInt8 {
        flash.read(at: (address &+ UInt32(truncatingIfNeeded: index)) & (flash.size - 1), count: 1).first ?? 0xFF
    }

    /// The select goes up: a command that changes something is carried out now.
    func deselect() {
        guard let command = header.first else { return }
        let isAddressed = header.count >= 4
        switch command {
        case Command.writeEnable: isWritable = true
        case Command.writeDisable: isWritable = false
        case Command.eraseSector where isWritable && isAddressed: erase(4096)
        case Command.eraseHalf where isWritable && isAddressed: erase(32_768)
        case Command.eraseBlock where isWritable && isAddressed: erase(65_536)
        case Command.program where isWritable && isAddressed: programPage()
        default: break
        }
        header = []
        count = 0
        page = []
    }

    private func erase(_ size: UInt32) {
        erase(address & ~(size - 1), size)
        isWritable = false
    }

    /// A page wraps at its end.
    private func programPage() {
        let start = address & ~0xFF
        for (index, byte) in page.enumerated() {
            program((start | (address &+ UInt32(index)) & 0xFF), [byte])
        }
        isWritable = false
    }

    // MARK: For the boot ROM's functions

    func erase(_ offset: UInt32, _ size: UInt32) {
        flash.fill(0xFF, at: offset, count: size)
        onChange(offset, size)
    }

    /// Clears bits only.
    func program(_ offset: UInt32, _ bytes: [UInt8]) {
        let before = flash.read(at: offset, count: bytes.count)
        flash.write(zip(before, bytes).map { $0 & $1 }, at: offset)
        onChange(offset, UInt32(bytes.count))
    }
}
