import Foundation

/// A bzImage's setup header, as far as it leads to the packed vmlinux (Linux Documentation/arch/x86/boot.rst).
struct BzImage: Equatable, Sendable {
    /// Where the packed kernel lies in the file.
    let payload: Range<Int>
    let compression: KernelCompression
    /// The vmlinux's size, which the build appends to the packed stream.
    let unpackedSize: Int

    /// A vmlinux larger than this is not believed.
    static let largestKernel = 512 << 20

    private enum Offset {
        static let setupSectors = 0x1F1
        static let signature = 0x202
        static let version = 0x206
        static let payloadOffset = 0x248
        static let payloadLength = 0x24C
        static let end = 0x250
    }

    init(parsing bytes: some RandomAccessCollection<UInt8>, named file: String) throws {
        func malformed(_ reason: String) -> LabError { .malformed(file: file, reason: reason) }

        guard bytes.count >= Offset.end,
            let sectors = bytes.dropFirst(Offset.setupSectors).first,
            let version = LittleEndian.uint16(bytes, at: Offset.version),
            let offset = LittleEndian.uint32(bytes, at: Offset.payloadOffset),
            let length = LittleEndian.uint32(bytes, at: Offset.payloadLength)
        else { throw malformed("\(bytes.count) bytes are too few for a bzImage setup header") }
        guard bytes.dropFirst(Offset.signature).starts(with: "HdrS".utf8) else {
            throw malformed("not a bzImage: no HdrS signature")
        }
        guard version >= 0x208 else {
            throw malformed("boot protocol 0x\(String(version, radix: 16)) has no payload fields; 0x208 is needed")
        }
        // "If setup_sects is 0, the real value is 4"; the boot sector comes on top.
        let setupSize = (Int(sectors == 0 ? 4 : sectors) + 1) * 512
        let start = setupSize + Int(offset)
        let end = start + Int(length)
        guard length > 8, end <= bytes.count else {
            throw malformed("the payload (\(start)..<\(end)) does not fit the file of \(bytes.count) bytes")
        }
        guard let compression = KernelCompression(magicOf: bytes.dropFirst(start).prefix(8)) else {
            throw malformed("the payload is packed in a way this program does not know")
        }
        guard let size = LittleEndian.uint32(bytes, at: end - 4), size >= 64, size <= Self.largestKernel else {
            throw malformed("the unpacked size at the payload's end is not believable")
        }
        self.payload = start..<end
        self.compression = compression
        self.unpackedSize = Int(size)
    }

    /// Unpacks the vmlinux of `source` to `destination` and checks that it is the ELF file the header promised.
    static func extractKernel(from source: String, to destination: String) async throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: source), options: .alwaysMapped)
        let image = try BzImage(parsing: bytes, named: source)
        let packed = destination + ".packed"
        defer { unlink(packed) }
        try bytes.subdata(in: image.payload).write(to: URL(fileURLWithPath: packed))

        let unpacker = image.compression.unpacker(of: packed)
        try await HostTool.run(unpacker.program, unpacker.arguments, outputFile: destination)
        let kernel = try Data(contentsOf: URL(fileURLWithPath: destination), options: .alwaysMapped)
        guard kernel.count == image.unpackedSize, kernel.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            throw LabError.malformed(
                file: source,
                reason: "unpacked to \(kernel.count) bytes, not to an ELF file of \(image.unpackedSize) bytes")
        }
    }
}
