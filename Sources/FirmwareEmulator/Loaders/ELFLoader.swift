/// 32-bit little-endian ARM executables (System V ABI, ELF for the Arm architecture).
enum ELFLoader {
    private static let machineARM: UInt16 = 40
    private static let loadSegment: UInt32 = 1
    private static let symbolTable: UInt32 = 2

    static func load(_ bytes: [UInt8]) throws(ImageError) -> FirmwareImage {
        guard bytes.count >= 52 else { throw ImageError(.elf, at: bytes.count, "the file ends inside the ELF header") }
        guard bytes[4] == 1 else {
            throw ImageError(.elf, at: 4, "EI_CLASS is \(bytes[4]); only 32-bit images run here")
        }
        guard bytes[5] == 1 else {
            throw ImageError(.elf, at: 5, "EI_DATA is \(bytes[5]); only little endian runs here")
        }
        let header = Reader(bytes)
        let machine = try header.half(18, "e_machine")
        guard machine == machineARM else { throw ImageError(.elf, at: 18, "e_machine is \(machine), not ARM (40)") }
        let entry = try header.word(24, "e_entry")
        return FirmwareImage(
            format: .elf, segments: try segments(header), symbols: try symbols(header), entry: entry == 0 ? nil : entry)
    }

    /// PT_LOAD segments at their physical addresses: where initialisers of .data lie in flash.
    private static func segments(_ file: Reader) throws(ImageError) -> [FirmwareImage.Segment] {
        let table = Int(try file.word(28, "e_phoff"))
        let size = Int(try file.half(42, "e_phentsize"))
        let count = Int(try file.half(44, "e_phnum"))
        guard count > 0 else { throw ImageError(.elf, at: 44, "no program headers: an object file, not an executable") }
        guard size >= 32 else { throw ImageError(.elf, at: 42, "e_phentsize is \(size), at least 32 is needed") }
        var segments: [FirmwareImage.Segment] = []
        var loaded = 0
        for index in 0..<count {
            let at = table + index * size
            guard try file.word(at, "program header \(index)") == loadSegment else { continue }
            let offset = Int(try file.word(at + 4, "p_offset"))
            let address = try file.word(at + 12, "p_paddr")
            let fileSize = Int(try file.word(at + 16, "p_filesz"))
            guard fileSize > 0 else { continue }
            guard offset <= file.bytes.count, fileSize <= file.bytes.count - offset else {
                throw ImageError(
                    .elf, at: at,
                    "segment \(index) takes \(fileSize) bytes at offset \(offset) of a file of \(file.bytes.count)")
            }
            try ImageLoader.check(segment: address, count: fileSize, loaded: loaded, format: .elf, offset: at)
            loaded += fileSize
            segments.append(.init(address: address, bytes: Array(file.bytes[offset..<offset + fileSize])))
        }
        return segments
    }

    /// Function and object symbols; a stripped file has none. Mapping symbols (`$t`) are left out.
    private static func symbols(_ file: Reader) throws(ImageError) -> SymbolTable {
        let table = Int(try file.word(32, "e_shoff"))
        let size = Int(try file.half(46, "e_shentsize"))
        let count = Int(try file.half(48, "e_shnum"))
        guard table > 0, count > 0 else { return SymbolTable() }
        guard size >= 40 else { throw ImageError(.elf, at: 46, "e_shentsize is \(size), at least 40 is needed") }
        var found: [SymbolTable.Symbol] = []
        for index in 0..<count {
            let at = table + index * size
            guard try file.word(at + 4, "section header \(index)") == symbolTable else { continue }
            let link = Int(try file.word(at + 24, "sh_link"))
            guard link < count else { throw ImageError(.elf, at: at + 24, "sh_link \(link) of \(count) sections") }
            let names = try section(link, table: table, size: size, in: file)
            let entries = try section(index, table: table, size: size, in: file)
            for entry in stride(from: entries.lowerBound, to: entries.upperBound - 15, by: 16) {
                let kind = file.bytes[entry + 12] & 0x0F
                guard kind <= 2, let value = file.bytes.little32(at: entry + 4), value != 0,
                    let length = file.bytes.little32(at: entry + 8), let name = file.bytes.little32(at: entry),
                    let shndx = file.bytes.little16(at: entry + 14), shndx != 0
                else { continue }
                let text = file.text(at: names.lowerBound + Int(name), end: names.upperBound)
                guard !text.isEmpty, !text.hasPrefix("$") else { continue }
                guard found.count < SymbolTable.maximumCount else { return SymbolTable(found) }
                // Bit 0 of a function's address says Thumb.
                found.append(.init(address: kind == 2 ? value & ~1 : value, size: length, name: text))
            }
        }
        return SymbolTable(found)
    }

    private static func section(
        _ index: Int, table: Int, size: Int, in file: Reader
    ) throws(ImageError) -> Range<Int> {
        let at = table + index * size
        let offset = Int(try file.word(at + 16, "sh_offset"))
        let length = Int(try file.word(at + 20, "sh_size"))
        guard offset <= file.bytes.count, length <= file.bytes.count - offset else {
            throw ImageError(
                .elf, at: at,
                "section \(index) takes \(length) bytes at offset \(offset) of a file of \(file.bytes.count)")
        }
        return offset..<offset + length
    }

    /// Bounds-checked fields.
    private struct Reader {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func half(_ offset: Int, _ name: String) throws(ImageError) -> UInt16 {
            guard let value = bytes.little16(at: offset) else {
                throw ImageError(.elf, at: offset, "\(name) lies beyond the end of the file")
            }
            return value
        }

        func word(_ offset: Int, _ name: String) throws(ImageError) -> UInt32 {
            guard let value = bytes.little32(at: offset) else {
                throw ImageError(.elf, at: offset, "\(name) lies beyond the end of the file")
            }
            return value
        }

        /// A NUL-terminated name, cut at 255 bytes.
        func text(at offset: Int, end: Int) -> String {
            guard offset >= 0, offset < end else { return "" }
            let raw = bytes[offset..<min(end, offset + 255)].prefix { $0 != 0 }
            return String(decoding: raw, as: UTF8.self)
        }
    }
}
