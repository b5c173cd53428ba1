import Testing

@testable import FirmwareEmulator

@Suite struct ImageLoaderTests {
    @Test func elfSegmentsGoToTheirPhysicalAddressesAndSymbolsAreFound() throws {
        let image = try ImageLoader.load(ImageBytes.elf())
        #expect(image.format == .elf)
        #expect(image.segments == [.init(address: 0x0800_0000, bytes: ImageBytes.payload)])
        #expect(image.entry == 0x0800_0011)
        // Bit 0 of a function's address says Thumb.
        #expect(image.symbols.name(at: 0x0800_0014) == "main+0x4")
        #expect(image.symbols.name(at: 0x0800_0018) == nil)
        #expect(image.symbols.address(of: "main") == 0x0800_0010)
    }

    @Test func intelHexRecordsJoinToOneSegment() throws {
        let image = try ImageLoader.load(ImageBytes.intelHex())
        #expect(image.format == .intelHex)
        #expect(image.segments == [.init(address: 0x0800_0000, bytes: ImageBytes.payload)])
        #expect(image.entry == 0x0800_0011)
    }

    @Test func intelHexSegmentRecordsShiftByFour() throws {
        let text = ImageBytes.hexRecord(2, 0, [0x10, 0x00]) + ImageBytes.hexRecord(0, 4, [1, 2]) + ":00000001FF"
        #expect(try ImageLoader.load(Array(text.utf8)).segments == [.init(address: 0x0001_0004, bytes: [1, 2])])
    }

    @Test func binaryGoesWhereItIsToldTo() throws {
        let image = try ImageLoader.load([1, 2, 3], address: 0x0800_2000)
        #expect(image.format == .binary)
        #expect(image.segments == [.init(address: 0x0800_2000, bytes: [1, 2, 3])])
    }

    @Test func dfuSuffixIsCheckedAndCutOff() throws {
        let image = try ImageLoader.load(ImageBytes.suffixed(ImageBytes.payload))
        #expect(image.format == .dfu)
        #expect(image.segments == [.init(address: 0x0800_0000, bytes: ImageBytes.payload)])
        #expect(image.suffix?.idVendor == 0x0483)
        #expect(image.suffix?.idProduct == 0xDF11)
    }

    @Test func dfuWithAWrongChecksumIsRefusedWithBothNumbers() throws {
        var bytes = ImageBytes.suffixed(ImageBytes.payload)
        bytes[3] ^= 1
        let error = #expect(throws: ImageError.self) { try ImageLoader.load(bytes) }
        #expect(error?.offset == bytes.count - 4)
        #expect(error?.description.contains("dwCRC") == true)
    }

    @Test func dfuSeElementsCarryAddresses() throws {
        let image = try ImageLoader.load(ImageBytes.dfuSe())
        #expect(image.format == .dfuSe)
        #expect(image.segments == [.init(address: 0x0800_0000, bytes: ImageBytes.payload)])
    }

    @Test func dfuSeElementBeyondTheFileIsRefused() {
        #expect(throws: ImageError.self) { try ImageLoader.load(ImageBytes.dfuSe(elementSize: 0xFFFF_FFF0)) }
    }

    @Test func uf2BlocksJoinAndTheFamilyNamesTheChip() throws {
        let image = try ImageLoader.load(ImageBytes.uf2())
        #expect(image.segments == [.init(address: 0x0800_0000, bytes: Array(ImageBytes.payload.prefix(192)))])
        #expect(image.hint == .chip("stm32f072"))
        #expect(try ImageLoader.load(ImageBytes.uf2(family: 0xE48B_FF56)).hint == .chip("rp2040"))
    }

    @Test func uf2OfTwoFamiliesIsRefused() {
        let mixed = ImageBytes.uf2() + ImageBytes.uf2(family: 0xE48B_FF56)
        #expect(throws: ImageError(.uf2, at: 3 * 512 + 28, "blocks for more than one chip family: split the file")) {
            try ImageLoader.load(mixed)
        }
    }

    @Test func errorsNameOffsetAndReason() {
        var object = ImageBytes.elf()
        object[44] = 0
        let noSegments = #expect(throws: ImageError.self) { try ImageLoader.load(object) }
        #expect(
            noSegments?.description
                == "ELF image, offset 44 (0x2c): no program headers: an object file, not an executable")
        var x86 = ImageBytes.elf()
        x86[18] = 62
        let machine = #expect(throws: ImageError.self) { try ImageLoader.load(x86) }
        #expect(machine?.description == "ELF image, offset 18 (0x12): e_machine is 62, not ARM (40)")
        let cut = #expect(throws: ImageError.self) { try ImageLoader.load(Array(ImageBytes.intelHex().dropLast(13))) }
        #expect(cut?.reason == "no end record: the file is cut off")
        #expect(throws: ImageError.self) { try ImageLoader.load([]) }
    }

    @Test func segmentsThatWrapAroundTheAddressSpaceAreRefused() {
        #expect(throws: ImageError.self) { try ImageLoader.load(ImageBytes.elf(physical: 0xFFFF_FFF0)) }
        #expect(throws: ImageError.self) { try ImageLoader.load([1, 2, 3], address: 0xFFFF_FFFE) }
    }

    @Test func chipIsGuessedFromTheVectorTable() throws {
        let m0 = ImageBytes.little(UInt32(0x2000_1800)) + ImageBytes.little(UInt32(0x0800_00C1))
        #expect(try ImageLoader.load(m0 + [UInt8](repeating: 0, count: 200)).hint == .chip("stm32f042"))
        var m3 = ImageBytes.little(UInt32(0x2000_5000)) + ImageBytes.little(UInt32(0x0800_00C1))
        m3 += (0..<50).flatMap { _ in ImageBytes.little(UInt32(0x0800_00D1)) }
        #expect(try ImageLoader.load(m3).hint == .chip("stm32f103cb"))
    }

    /// Bytes changed, cut and swapped at random: an image or an error, never a trap.
    @Test(arguments: [
        ImageBytes.elf(), ImageBytes.intelHex(), ImageBytes.suffixed(ImageBytes.payload), ImageBytes.dfuSe(),
        ImageBytes.uf2(),
    ])
    func corruptImagesNeverTrap(original: [UInt8]) {
        var seed: UInt64 = 0x2545_F491_4F6C_DD1D
        func random(_ limit: Int) -> Int {
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            return Int(seed % UInt64(max(1, limit)))
        }
        var refused = 0
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0...random(4) {
                switch random(5) {
                case 0: bytes.removeLast(random(bytes.count))
                case 1: if !bytes.isEmpty { bytes[random(bytes.count)] = UInt8(random(256)) }
                case 2: if bytes.count > 60 { bytes[random(60)] = [0, 1, 0x7F, 0x80, 0xFF][random(5)] }
                case 3:
                    let at = random(bytes.count)
                    for index in at..<min(at + 4, bytes.count) { bytes[index] = 0xFF }
                default: bytes += (0..<random(40)).map { _ in UInt8(random(256)) }
                }
            }
            // A repaired checksum lets corruption reach what is behind it.
            if bytes.count > 20, random(2) == 0, DFUSuffix.isPresent(in: bytes) {
                let crc = ImageBytes.little(DFUSuffix.checksum(bytes[..<(bytes.count - 4)]))
                bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: crc)
            }
            do {
                let image = try ImageLoader.load(bytes)
                #expect(image.segments.allSatisfy { $0.end <= 1 << 32 })
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100)
    }
}
