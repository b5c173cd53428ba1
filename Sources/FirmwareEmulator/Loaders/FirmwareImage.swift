/// A microcontroller image after loading: bytes at physical addresses, and what the file tells about them.
public struct FirmwareImage: Sendable, Equatable {
    public var format: ImageFormat
    /// In file order; a later segment overwrites an earlier one where they overlap.
    public var segments: [Segment]
    public var symbols: SymbolTable
    /// The file's entry point (ELF e_entry, HEX record 05), where it names one.
    public var entry: UInt32?
    /// What the file says about the chip that it is for.
    public var hint: ChipHint?
    /// DFU suffix, where there is one.
    public var suffix: DFUSuffix?

    public init(
        format: ImageFormat, segments: [Segment], symbols: SymbolTable = SymbolTable(), entry: UInt32? = nil,
        hint: ChipHint? = nil, suffix: DFUSuffix? = nil
    ) {
        self.format = format
        self.segments = segments
        self.symbols = symbols
        self.entry = entry
        self.hint = hint
        self.suffix = suffix
    }

    /// Bytes at a physical address.
    public struct Segment: Sendable, Equatable {
        public var address: UInt32
        public var bytes: [UInt8]

        public init(address: UInt32, bytes: [UInt8]) {
            self.address = address
            self.bytes = bytes
        }

        /// One past the last address; never wraps, since loaders refuse what would.
        public var end: UInt64 { UInt64(address) + UInt64(bytes.count) }
    }

    public var byteCount: Int { segments.reduce(0) { $0 + $1.bytes.count } }

    /// The lowest address loaded; nil for an image without bytes.
    public var lowestAddress: UInt32? { segments.map(\.address).min() }

    /// A little-endian word of the image, when all four bytes lie in one segment.
    public func word(at address: UInt32) -> UInt32? {
        for segment in segments.reversed() {
            guard address >= segment.address, UInt64(address) + 4 <= segment.end else { continue }
            let offset = Int(address - segment.address)
            return segment.bytes.little32(at: offset)
        }
        return nil
    }
}

/// File formats that can be loaded.
public enum ImageFormat: String, Sendable, Equatable, CaseIterable {
    case elf = "ELF"
    case intelHex = "Intel HEX"
    case binary = "binary"
    case dfu = "DFU"
    case dfuSe = "DfuSe"
    case uf2 = "UF2"
}

/// What a file tells about its chip.
public enum ChipHint: Sendable, Equatable {
    /// A chip of our list, by name, such as `stm32f072`.
    case chip(String)
    /// A family that the file names and that is not emulated, such as `RP2040`.
    case unsupported(String)
}
