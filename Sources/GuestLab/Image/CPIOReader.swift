import Foundation

/// Walks the headers of a "newc" archive, to tell a whole initramfs from a damaged one before a kernel panics over it.
struct CPIOReader {
    struct Member: Equatable, Sendable {
        let path: String
        let mode: UInt32
        let body: Range<Int>
    }

    private static let headerSize = 110
    private static let longestPath = 4096

    /// Every member up to the trailer; throws ``LabError/malformed(file:reason:)`` at the first header that lies.
    static func members(of archive: Data, named file: String) throws -> [Member] {
        func malformed(_ reason: String, at offset: Int) -> LabError {
            .malformed(file: file, reason: "cpio member at \(offset): \(reason)")
        }

        let base = archive.startIndex
        var members: [Member] = []
        var offset = 0
        while true {
            guard archive.count - offset >= headerSize else { throw malformed("the archive ends early", at: offset) }
            let header = archive[base + offset..<base + offset + headerSize]
            guard header.starts(with: "070701".utf8) else { throw malformed("no newc magic", at: offset) }
            guard let mode = field(1, of: header), let size = field(6, of: header), let nameSize = field(11, of: header)
            else { throw malformed("a field is not eight hexadecimal digits", at: offset) }
            guard nameSize >= 2, nameSize <= longestPath else {
                throw malformed("a name of \(nameSize) bytes", at: offset)
            }
            let nameStart = offset + headerSize
            guard archive.count - nameStart >= Int(nameSize), archive[base + nameStart + Int(nameSize) - 1] == 0 else {
                throw malformed("the name is cut off", at: offset)
            }
            let name = archive[base + nameStart..<base + nameStart + Int(nameSize) - 1]
            guard !name.contains(0) else { throw malformed("the name contains a NUL", at: offset) }
            let path = String(decoding: name, as: UTF8.self)
            let bodyStart = aligned(nameStart + Int(nameSize))
            guard bodyStart <= archive.count, archive.count - bodyStart >= Int(size) else {
                throw malformed("“\(path)” claims \(size) bytes, more than follow", at: offset)
            }
            if path == CPIOWriter.trailer { return members }
            members.append(Member(path: path, mode: mode, body: bodyStart..<bodyStart + Int(size)))
            offset = aligned(bodyStart + Int(size))
        }
    }

    private static func aligned(_ offset: Int) -> Int { (offset + 3) & ~3 }

    private static func field(_ index: Int, of header: Data) -> UInt32? {
        let start = header.startIndex + 6 + index * 8
        var value: UInt32 = 0
        for byte in header[start..<start + 8] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
