/// How a bzImage's payload is packed, told by its magic (the kernel's scripts/extract-vmlinux).
enum KernelCompression: String, CaseIterable, Sendable {
    case xz, zstd, gzip, lz4, lzma, bzip2

    init?(magicOf payload: some Collection<UInt8>) {
        guard let found = Self.allCases.first(where: { payload.starts(with: $0.magic) }) else { return nil }
        self = found
    }

    var magic: [UInt8] {
        switch self {
        case .xz: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
        case .zstd: [0x28, 0xB5, 0x2F, 0xFD]
        case .gzip: [0x1F, 0x8B, 0x08]
        case .lz4: [0x02, 0x21, 0x4C, 0x18]
        case .lzma: [0x5D, 0x00, 0x00]
        case .bzip2: [0x42, 0x5A, 0x68]
        }
    }

    /// The program and arguments that write the unpacked stream to standard output.
    func unpacker(of path: String) -> (program: String, arguments: [String]) {
        switch self {
        case .xz: ("xz", ["-dc", "--single-stream", path])
        case .lzma: ("xz", ["--format=lzma", "-dc", path])
        case .zstd, .gzip, .lz4, .bzip2: (rawValue, ["-dc", path])
        }
    }
}
