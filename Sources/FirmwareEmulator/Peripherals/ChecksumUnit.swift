/// CRC: words (F1), or words, halfwords and bytes with reversal and a polynomial (F0, F3; RM0091 chapter 12).
final class ChecksumUnit: RegisterBlock {
    private var value: UInt32 = 0xFFFF_FFFF
    private let isProgrammable: Bool

    init(isProgrammable: Bool) {
        self.isProgrammable = isProgrammable
        super.init("CRC", base: 0x4002_3000)
    }

    override func reset() {
        super.reset()
        self[0x10] = 0xFFFF_FFFF
        self[0x14] = 0x04C1_1DB7
        value = 0xFFFF_FFFF
    }

    override func load(_ offset: UInt32) -> UInt32 {
        guard offset == 0 else { return self[offset] }
        return isProgrammable && self[0x08] & 0x80 != 0 ? value.bitSwapped : value
    }

    override func store(_ offset: UInt32, _ new: UInt32, mask: UInt32) {
        switch offset {
        case 0x00: take(new, bits: mask == 0xFF ? 8 : mask == 0xFFFF ? 16 : 32)
        case 0x08:
            keep(offset, new & ~1, mask: mask)
            if new & 1 != 0 { value = isProgrammable ? self[0x10] : 0xFFFF_FFFF }
        default: keep(offset, new, mask: mask)
        }
    }

    private func take(_ new: UInt32, bits: UInt32) {
        var input = new
        if isProgrammable {
            // REV_IN: by byte, by halfword, by word.
            switch self[0x08] >> 5 & 3 {
            case 1: input = input.bitSwapped.byteSwapped
            case 2: input = input.bitSwapped >> 16 | input.bitSwapped << 16
            case 3: input = input.bitSwapped
            default: break
            }
            if bits < 32, self[0x08] >> 5 & 3 > 1 { input >>= self[0x08] >> 5 & 3 == 2 && bits == 16 ? 0 : 32 - bits }
        }
        let polynomial = isProgrammable ? self[0x14] : 0x04C1_1DB7
        value ^= input << (32 - bits)
        for _ in 0..<bits { value = value & 0x8000_0000 != 0 ? value << 1 ^ polynomial : value << 1 }
    }
}

extension UInt32 {
    /// Bit 0 becomes bit 31.
    var bitSwapped: UInt32 {
        var rest = self
        var out: UInt32 = 0
        for _ in 0..<32 {
            out = out << 1 | rest & 1
            rest >>= 1
        }
        return out
    }
}
