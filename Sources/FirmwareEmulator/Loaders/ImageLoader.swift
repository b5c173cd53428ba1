/// Reads an image of any known format; the format is told from the bytes.
public enum ImageLoader {
    /// Largest file, in bytes: hexadecimal text of a chip's flash, or an ELF with debugging information.
    public static let maximumFileSize = 64 << 20
    /// Largest sum of all segments, in bytes.
    public static let maximumLoadedSize = 16 << 20

    /// The format that `bytes` claim to be; anything unknown is a raw binary.
    public static func format(of bytes: [UInt8]) -> ImageFormat {
        if bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) { return .elf }
        if bytes.little32(at: 0) == UF2Loader.magicStart0, bytes.little32(at: 4) == UF2Loader.magicStart1 {
            return .uf2
        }
        if bytes.starts(with: Array("DfuSe".utf8)) { return .dfuSe }
        if DFUSuffix.isPresent(in: bytes) { return .dfu }
        if IntelHexLoader.looksLikeHex(bytes) { return .intelHex }
        return .binary
    }

    /// Loads an image.
    ///
    /// - Parameter address: where the bytes of a format without addresses (binary, DFU) go.
    public static func load(_ bytes: [UInt8], address: UInt32 = 0x0800_0000) throws(ImageError) -> FirmwareImage {
        let format = format(of: bytes)
        guard bytes.count <= maximumFileSize else {
            throw ImageError(format, "\(bytes.count) bytes, more than the \(maximumFileSize) that are accepted")
        }
        guard !bytes.isEmpty else { throw ImageError(.binary, "the file is empty") }
        var image =
            switch format {
            case .elf: try ELFLoader.load(bytes)
            case .intelHex: try IntelHexLoader.load(bytes)
            case .uf2: try UF2Loader.load(bytes)
            case .dfuSe: try DfuSeLoader.load(bytes)
            case .dfu: try loadDFU(bytes, address: address)
            case .binary: try loadBinary(bytes, address: address)
            }
        guard image.byteCount > 0 else { throw ImageError(format, "nothing in it is to be loaded") }
        if image.hint == nil { image.hint = ChipDetection.hint(for: image) }
        return image
    }

    private static func loadBinary(_ bytes: [UInt8], address: UInt32) throws(ImageError) -> FirmwareImage {
        try check(segment: address, count: bytes.count, loaded: 0, format: .binary, offset: 0)
        return FirmwareImage(format: .binary, segments: [.init(address: address, bytes: bytes)])
    }

    /// A raw image with a suffix (DFU 1.1, appendix B).
    private static func loadDFU(_ bytes: [UInt8], address: UInt32) throws(ImageError) -> FirmwareImage {
        let suffix = try DFUSuffix(parsing: bytes, format: .dfu)
        let body = Array(bytes.dropLast(suffix.length))
        try check(segment: address, count: body.count, loaded: 0, format: .dfu, offset: 0)
        return FirmwareImage(format: .dfu, segments: [.init(address: address, bytes: body)], suffix: suffix)
    }

    /// Refuses a segment that would wrap around the address space or make the image too large.
    static func check(
        segment address: UInt32, count: Int, loaded: Int, format: ImageFormat, offset: Int?
    ) throws(ImageError) {
        guard UInt64(address) + UInt64(count) <= 1 << 32 else {
            throw ImageError(format, at: offset, "\(count) bytes at \(hex(address)) go beyond the 32-bit address space")
        }
        guard loaded + count <= maximumLoadedSize else {
            throw ImageError(format, at: offset, "more than \(maximumLoadedSize) bytes to load")
        }
    }
}

extension [UInt8] {
    /// A little-endian halfword; nil beyond the end.
    func little16(at offset: Int) -> UInt16? {
        guard offset >= 0, offset <= count - 2 else { return nil }
        return UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    /// A little-endian word; nil beyond the end.
    func little32(at offset: Int) -> UInt32? {
        guard offset >= 0, offset <= count - 4 else { return nil }
        return UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16
            | UInt32(self[offset + 3]) << 24
    }
}
