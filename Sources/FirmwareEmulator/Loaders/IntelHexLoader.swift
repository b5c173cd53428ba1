/// Intel hexadecimal object files (Intel, 1988, revision A): records 00 to 05.
enum IntelHexLoader {
    /// A colon before anything else but white space, and hexadecimal digits behind it.
    static func looksLikeHex(_ bytes: [UInt8]) -> Bool {
        guard let start = bytes.prefix(4096).firstIndex(where: { !isSpace($0) }), bytes[start] == UInt8(ascii: ":"),
            bytes.count >= start + 11
        else { return false }
        return bytes[start + 1..<start + 9].allSatisfy { digit($0) != nil }
    }

    static func load(_ bytes: [UInt8]) throws(ImageError) -> FirmwareImage {
        var image = FirmwareImage(format: .intelHex, segments: [])
        var base: UInt32 = 0
        var loaded = 0
        var position = 0
        var ended = false
        while position < bytes.count {
            if isSpace(bytes[position]) || bytes[position] == 0x1A {
                position += 1
                continue
            }
            guard !ended else { throw ImageError(.intelHex, at: position, "something follows the end record") }
            let start = position
            let record = try record(in: bytes, at: &position)
            let data = record[4..<record.count - 1]
            let address = UInt32(record[1]) << 8 | UInt32(record[2])
            switch record[3] {
            case 0:
                let target = base &+ address
                try ImageLoader.check(
                    segment: target, count: data.count, loaded: loaded, format: .intelHex, offset: start)
                loaded += data.count
                append(data, at: target, to: &image.segments)
            case 1: ended = true
            case 2: base = try word(data, start, 2, "extended segment address") << 4
            case 4: base = try word(data, start, 2, "extended linear address") << 16
            case 3:
                let pointer = try word(data, start, 4, "start segment address")
                image.entry = (pointer >> 16) << 4 &+ (pointer & 0xFFFF)
            case 5: image.entry = try word(data, start, 4, "start linear address")
            default: throw ImageError(.intelHex, at: start, "record type \(record[3]) is unknown")
            }
        }
        guard ended else { throw ImageError(.intelHex, at: bytes.count, "no end record: the file is cut off") }
        return image
    }

    /// All bytes of one record, count to checksum, both verified.
    private static func record(in bytes: [UInt8], at position: inout Int) throws(ImageError) -> [UInt8] {
        let start = position
        guard bytes[start] == UInt8(ascii: ":") else {
            throw ImageError(.intelHex, at: start, "a record starts with a colon, not with byte \(bytes[start])")
        }
        position += 1
        var record: [UInt8] = []
        var expected = 5
        while record.count < expected {
            guard position + 1 < bytes.count else {
                throw ImageError(.intelHex, at: start, "the file ends inside a record")
            }
            guard let high = digit(bytes[position]), let low = digit(bytes[position + 1]) else {
                throw ImageError(.intelHex, at: position, "not a hexadecimal digit")
            }
            record.append(high << 4 | low)
            position += 2
            if record.count == 1 { expected = Int(record[0]) + 5 }
        }
        guard record.reduce(0, &+) == 0 else {
            throw ImageError(.intelHex, at: start, "the record's checksum is wrong")
        }
        return record
    }

    private static func append(
        _ data: ArraySlice<UInt8>, at address: UInt32, to segments: inout [FirmwareImage.Segment]
    ) {
        if let last = segments.indices.last, segments[last].end == UInt64(address) {
            segments[last].bytes.append(contentsOf: data)
        } else {
            segments.append(.init(address: address, bytes: Array(data)))
        }
    }

    private static func word(
        _ data: ArraySlice<UInt8>, _ offset: Int, _ count: Int, _ name: String
    ) throws(ImageError) -> UInt32 {
        guard data.count == count else {
            throw ImageError(.intelHex, at: offset, "\(name) record of \(data.count) bytes, not \(count)")
        }
        return data.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
