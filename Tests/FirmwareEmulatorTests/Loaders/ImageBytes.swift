@testable import FirmwareEmulator

/// Builds small images of each format.
enum ImageBytes {
    static let payload = [UInt8](0..<200)

    static func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    static func little(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }

    /// One segment whose virtual address differs from its physical one, and one function symbol `main`.
    static func elf(physical: UInt32 = 0x0800_0000) -> [UInt8] {
        let names = Array("\0main\0".utf8)
        let segmentAt = 52 + 32
        let namesAt = segmentAt + payload.count
        let symbolsAt = namesAt + names.count
        let sectionsAt = symbolsAt + 32
        var out: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9)
        out += little(UInt16(2)) + little(UInt16(40)) + little(UInt32(1)) + little(UInt32(0x0800_0011))
        out += little(UInt32(52)) + little(UInt32(sectionsAt)) + little(UInt32(0))
        out += little(UInt16(52)) + little(UInt16(32)) + little(UInt16(1)) + little(UInt16(40)) + little(UInt16(2))
        out += little(UInt16(1))
        out += [1, UInt32(segmentAt), 0x2000_0000, physical, UInt32(payload.count), UInt32(payload.count), 5, 4]
            .flatMap { little(UInt32($0)) }
        out += payload + names
        out += [UInt8](repeating: 0, count: 16)
        out += little(UInt32(1)) + little(UInt32(0x0800_0011)) + little(UInt32(8)) + [0x12, 0] + little(UInt16(1))
        out += [0, 2, 0, 0, UInt32(symbolsAt), 32, 1, 0, 4, 16].flatMap { little(UInt32($0)) }
        out += [0, 3, 0, 0, UInt32(namesAt), UInt32(names.count), 0, 0, 1, 0].flatMap { little(UInt32($0)) }
        return out
    }

    static func hexRecord(_ type: UInt8, _ address: UInt16, _ data: [UInt8]) -> String {
        let body = [UInt8(data.count), UInt8(address >> 8), UInt8(truncatingIfNeeded: address), type] + data
        let sum = 0 &- body.reduce(0, &+)
        return ":" + (body + [sum]).map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
            + "\r\n"
    }

    static func intelHex() -> [UInt8] {
        var text = hexRecord(4, 0, [0x08, 0x00])
        for start in stride(from: 0, to: payload.count, by: 16) {
            text += hexRecord(0, UInt16(start), Array(payload[start..<min(start + 16, payload.count)]))
        }
        text += hexRecord(5, 0, [0x08, 0x00, 0x00, 0x11]) + hexRecord(1, 0, [])
        return Array(text.utf8)
    }

    static func suffixed(_ body: [UInt8], release: UInt16 = 0x0100) -> [UInt8] {
        var out = body + little(UInt16(0x0200)) + little(UInt16(0xDF11)) + little(UInt16(0x0483)) + little(release)
        out += Array("UFD".utf8) + [16]
        return out + little(DFUSuffix.checksum(out[...]))
    }

    static func dfuSe(elementSize: UInt32? = nil) -> [UInt8] {
        let element = little(UInt32(0x0800_0000)) + little(elementSize ?? UInt32(payload.count)) + payload
        var target = Array("Target".utf8) + [0] + little(UInt32(0)) + [UInt8](repeating: 0, count: 255)
        target += little(UInt32(element.count)) + little(UInt32(1)) + element
        let size = UInt32(11 + target.count)
        return suffixed(Array("DfuSe".utf8) + [1] + little(size) + [1] + target, release: 0x011A)
    }

    static func uf2(family: UInt32 = 0x6478_24B6, blocks: Int = 3) -> [UInt8] {
        (0..<blocks).flatMap { block -> [UInt8] in
            var out = [0x0A32_4655, 0x9E5D_5157, 0x2000, 0x0800_0000 + UInt32(block) * 64, 64, UInt32(block)]
                .flatMap { little(UInt32($0)) }
            out += little(UInt32(blocks)) + little(family)
            out += payload[block * 64..<min(block * 64 + 64, payload.count)]
            out += [UInt8](repeating: 0, count: 508 - out.count)
            return out + little(UInt32(0x0AB1_6F30))
        }
    }
}
