import Foundation
import Testing

@testable import GuestLab

/// Setup headers that lie must be refused with the reason, never trusted with an offset.
@Suite struct BzImageTests {
    /// A bzImage with one setup sector, a payload of the given bytes, and the fields the boot protocol documents.
    private func image(payload: [UInt8], offset: UInt32 = 16, length: UInt32? = nil, version: UInt16 = 0x20F) -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: 1024 + 16) + payload
        func put(_ value: UInt32, at position: Int, size: Int) {
            for index in 0..<size { bytes[position + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
        }
        bytes[0x1F1] = 1
        bytes.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
        put(UInt32(version), at: 0x206, size: 2)
        put(offset, at: 0x248, size: 4)
        put(length ?? UInt32(payload.count), at: 0x24C, size: 4)
        return bytes
    }

    private let packed: [UInt8] = [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 1, 2, 3, 4, 0x00, 0x10, 0x00, 0x00]

    private func refusal(of bytes: [UInt8]) -> String {
        do {
            _ = try BzImage(parsing: bytes, named: "k")
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test func findsPayloadBehindTheSetupSectors() throws {
        let image = try BzImage(parsing: image(payload: packed), named: "k")
        #expect(image.payload == 1040..<1054)
        #expect(image.compression == .xz)
        #expect(image.unpackedSize == 4096)
    }

    @Test func zeroSetupSectorsMeansFour() throws {
        var bytes = image(payload: [], length: 14) + [UInt8](repeating: 0, count: 4096)
        bytes[0x1F1] = 0
        bytes.replaceSubrange(2576..<2590, with: packed)
        #expect(try BzImage(parsing: bytes, named: "k").payload.lowerBound == 5 * 512 + 16)
    }

    @Test func everyTruncationIsRefused() {
        let whole = image(payload: packed)
        for count in 0..<whole.count {
            #expect(throws: LabError.self) { try BzImage(parsing: whole.prefix(count), named: "k") }
        }
    }

    @Test func lyingHeadersAreNamed() {
        #expect(refusal(of: image(payload: packed, length: .max)).contains("does not fit the file"))
        #expect(refusal(of: image(payload: packed, offset: .max)).contains("does not fit the file"))
        #expect(refusal(of: image(payload: packed, length: 4)).contains("does not fit the file"))
        #expect(refusal(of: image(payload: packed, version: 0x207)).contains("0x207"))
        #expect(refusal(of: [UInt8](repeating: 0x90, count: 4096)).contains("no HdrS signature"))
        #expect(refusal(of: image(payload: [UInt8](repeating: 7, count: 14))).contains("does not know"))
        #expect(refusal(of: image(payload: packed.dropLast(4) + [255, 255, 255, 255])).contains("not believable"))
    }

    @Test func payloadThatDoesNotUnpackIsRefused() async throws {
        let scratch = try LabScratch()
        let source = scratch.path + "/vmlinuz"
        try Data(image(payload: packed)).write(to: URL(fileURLWithPath: source))
        await #expect(throws: LabError.self) {
            try await BzImage.extractKernel(from: source, to: scratch.path + "/vmlinux")
        }
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/vmlinux.packed"))
    }
}
