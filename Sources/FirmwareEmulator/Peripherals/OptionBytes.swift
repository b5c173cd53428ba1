/// The option bytes of F0, F1 and F3: eight bytes, each followed by its complement (RM0091 chapter 4, PM0075 section 2.5).
final class OptionBytes {
    static let address: UInt32 = 0x1FFF_F800
    static let count: UInt32 = 16

    private let region: MemoryRegion
    private let family: STM32Family

    /// - Parameter region: system memory, with the option bytes in it.
    init(_ region: MemoryRegion, family: STM32Family) {
        self.region = region
        self.family = family
    }

    /// As the chip comes from its maker: no protection, everything else 1.
    static func initial(_ family: STM32Family) -> [UInt8] {
        let key = readKey(family)
        return [key, ~key] + (1..<8).flatMap { _ -> [UInt8] in [0xFF, 0x00] }
    }

    private static func readKey(_ family: STM32Family) -> UInt8 { family == .f1 ? 0xA5 : 0xAA }

    /// Firmware can make the chip load them without a power cycle.
    var isLoadable: Bool { family != .f1 }

    private subscript(_ index: UInt32) -> UInt32 {
        UInt32(region.read(at: Self.address - region.base + index * 2, count: 1).first ?? 0xFF)
    }

    private var isReadProtected: Bool { self[0] != UInt32(Self.readKey(family)) }

    /// FLASH_OBR.
    var register: UInt32 {
        let protection: UInt32 = isReadProtected ? 2 : 0
        let rest = self[2] | self[3] << 8
        return family == .f1
            ? rest << 10 | (self[1] & 7) << 2 | 0x3E0 | protection : rest << 16 | self[1] << 8 | protection
    }

    /// FLASH_WRPR.
    var writeProtection: UInt32 { (0..<4).reduce(0) { $0 | self[4 + $1] << ($1 * 8) } }

    func erase() { region.fill(0xFF, at: Self.address - region.base, count: Self.count) }

    /// - Returns: false for what is not erased, and outside.
    func program(_ offset: UInt32, _ value: UInt8) -> Bool {
        guard offset < Self.count else { return false }
        let place = Self.address - region.base + offset
        guard region.read(at: place, count: 2) == [0xFF, 0xFF] else { return false }
        return region.write([value, ~value], at: place) == 2
    }
}
