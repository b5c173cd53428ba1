/// USB Flashing Format: 512-byte blocks that each carry an address (Microsoft, UF2 specification).
enum UF2Loader {
    static let magicStart0: UInt32 = 0x0A32_4655
    static let magicStart1: UInt32 = 0x9E5D_5157
    private static let magicEnd: UInt32 = 0x0AB1_6F30
    private static let notMainFlash: UInt32 = 0x0000_0001
    private static let familyPresent: UInt32 = 0x0000_2000

    static func load(_ bytes: [UInt8]) throws(ImageError) -> FirmwareImage {
        guard bytes.count % 512 == 0 else {
            throw ImageError(
                .uf2, at: bytes.count / 512 * 512, "the last block has \(bytes.count % 512) bytes, not 512")
        }
        var image = FirmwareImage(format: .uf2, segments: [])
        var family: UInt32?
        var loaded = 0
        for at in stride(from: 0, to: bytes.count, by: 512) {
            guard bytes.little32(at: at) == magicStart0, bytes.little32(at: at + 4) == magicStart1,
                bytes.little32(at: at + 508) == magicEnd
            else { throw ImageError(.uf2, at: at, "block \(at / 512) lacks its magic numbers") }
            guard let flags = bytes.little32(at: at + 8), let address = bytes.little32(at: at + 12),
                let size = bytes.little32(at: at + 16), let named = bytes.little32(at: at + 28)
            else { throw ImageError(.uf2, at: at, "block \(at / 512) is cut off") }
            guard flags & notMainFlash == 0 else { continue }
            guard size <= 476 else {
                throw ImageError(.uf2, at: at + 16, "payloadSize \(size), at most 476 fit a block")
            }
            if flags & familyPresent != 0 {
                guard family == nil || family == named else {
                    throw ImageError(.uf2, at: at + 28, "blocks for more than one chip family: split the file")
                }
                family = named
            }
            try ImageLoader.check(segment: address, count: Int(size), loaded: loaded, format: .uf2, offset: at)
            loaded += Int(size)
            let data = bytes[at + 32..<at + 32 + Int(size)]
            if let last = image.segments.indices.last, image.segments[last].end == UInt64(address) {
                image.segments[last].bytes.append(contentsOf: data)
            } else {
                image.segments.append(.init(address: address, bytes: Array(data)))
            }
        }
        image.hint = family.map(hint(family:))
        return image
    }

    /// Family ids of the UF2 list; those that cover several of our chips leave the choice to the vectors.
    private static func hint(family: UInt32) -> ChipHint {
        switch family {
        case 0x647824B6: .chip("stm32f072")
        case 0x5EE21072: .chip("stm32f103cb")
        case 0x6B846188: .chip("stm32f303xc")
        case 0xE48BFF56: .chip("rp2040")
        case 0x68ED2B88: .unsupported("SAMD21")
        case 0x55114460: .unsupported("SAMD51")
        case 0x57755A57: .unsupported("STM32F4")
        case 0x1E1F432D: .unsupported("STM32L1")
        case 0x202E3A91: .unsupported("STM32L0")
        case 0x53B80F00: .unsupported("STM32F7")
        case 0x5D1A0A2E: .unsupported("STM32F2")
        case 0x00FF6919: .unsupported("STM32L4")
        case 0xADA52840: .unsupported("nRF52840")
        default: .unsupported("UF2 family \(hex(family))")
        }
    }
}
