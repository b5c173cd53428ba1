import Foundation

/// Writes a raw "newc" cpio archive, the initramfs format (Linux driver-api/early-userspace/buffer-format.rst).
///
/// Owners are root and times zero whoever builds, so equal inputs give equal archives and no privilege is needed.
struct CPIOWriter {
    private(set) var bytes = Data()
    private var inode: UInt32 = 0
    private var directories: Set<String> = []

    static let trailer = "TRAILER!!!"
    private static let longestPath = 1024

    /// Adds an entry and, before it, the directories it needs.
    mutating func add(_ entry: CPIOEntry) throws {
        let parts = entry.path.split(separator: "/", omittingEmptySubsequences: true)
        let path = parts.joined(separator: "/")
        guard !parts.isEmpty, path.utf8.count < Self.longestPath, !path.utf8.contains(0), path != Self.trailer,
            !parts.contains(where: { $0 == "." || $0 == ".." })
        else { throw LabError.configuration("“\(entry.path)” cannot be a path in the guest") }
        for count in 1..<max(parts.count, 1) {
            let parent = parts[..<count].joined(separator: "/")
            if directories.insert(parent).inserted { try append(path: parent, mode: 0o040755, body: Data()) }
        }
        switch entry.kind {
        case .directory:
            if directories.insert(path).inserted {
                try append(path: path, mode: 0o040000 | entry.permissions, body: Data())
            }
        case .file(let contents):
            try append(path: path, mode: 0o100000 | entry.permissions, body: contents)
        case .symbolicLink(let target):
            try append(path: path, mode: 0o120777, body: Data(target.utf8))
        case .characterDevice(let major, let minor):
            try append(path: path, mode: 0o020000 | entry.permissions, body: Data(), device: (major, minor))
        }
    }

    /// Ends the archive, padded so that another may follow it.
    mutating func finish() throws -> Data {
        try append(path: Self.trailer, mode: 0, body: Data())
        bytes.append(contentsOf: [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512))
        return bytes
    }

    private mutating func append(
        path: String, mode: UInt32, body: Data, device: (major: UInt32, minor: UInt32) = (0, 0)
    ) throws {
        guard let size = UInt32(exactly: body.count) else {
            throw LabError.configuration("“\(path)” is too large for an initramfs: \(body.count) bytes")
        }
        inode += 1
        let fields: [UInt32] = [
            inode, mode, 0, 0, 1, 0, size, 0, 0, device.major, device.minor, UInt32(path.utf8.count) + 1, 0,
        ]
        bytes.append(contentsOf: "070701".utf8)
        for field in fields {
            let digits = String(field, radix: 16, uppercase: true)
            bytes.append(contentsOf: (String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        }
        bytes.append(contentsOf: path.utf8)
        bytes.append(0)
        pad()
        bytes.append(body)
        pad()
    }

    private mutating func pad() {
        bytes.append(contentsOf: [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4))
    }
}
