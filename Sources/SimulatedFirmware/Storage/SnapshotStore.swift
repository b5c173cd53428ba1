import Glibc

/// An image that stays as it is, under a sparse copy of what has been written; the copy has no name and ends with us.
///
/// Which blocks are in the copy is known in memory only: a bit for each 4 KiB, kept for regions that were written to.
final class SnapshotStore: BlockStore {
    static let blockSize: UInt64 = 4096
    /// TMPDIR, or the folder for what is large and temporary.
    static var defaultFolder: String {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        return folder.isEmpty ? "/var/tmp" : folder
    }

    private let base: any BlockStore
    private let descriptor: CInt
    private let path: String
    /// Bits of 64 blocks each.
    private var written: [UInt64: UInt64] = [:]

    /// - Parameter folder: where the copy is made; it may grow to the size of the image.
    /// - Throws: `CatalogueError.badStorageImage` that names the folder.
    init(base: any BlockStore, folder: String) throws(CatalogueError) {
        self.base = base
        var template = Array("\(folder)/2virt-snapshot-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw .badStorageImage(folder, reason: "cannot keep a snapshot there: \(SocketFile.reason(errno))")
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
        path = "snapshot in \(folder)"
    }

    deinit { close(descriptor) }

    var size: UInt64 { base.size }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
        var done = 0
        while done < buffer.count {
            let position = offset + UInt64(done)
            let (isWritten, length) = run(at: position, limit: buffer.count - done)
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + length])
            if isWritten {
                try Positioned.read(descriptor, path, at: position, into: part)
            } else {
                try base.read(at: position, into: part)
            }
            done += length
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageFailure) {
        guard !bytes.isEmpty else { return }
        let end = offset + UInt64(bytes.count)
        let (first, last) = (offset / Self.blockSize, (end - 1) / Self.blockSize)
        // Blocks that are written in part bring the rest along.
        if offset % Self.blockSize != 0 { try copyUp(first) }
        if end % Self.blockSize != 0, last != first || offset % Self.blockSize == 0 { try copyUp(last) }
        try Positioned.write(descriptor, path, bytes, at: offset)
        for block in first...last { mark(block) }
    }

    /// Nothing to do: a snapshot does not outlive the process, let alone a power failure.
    func flush() {}

    func unlock() { base.unlock() }

    private func copyUp(_ block: UInt64) throws(StorageFailure) {
        guard !isWritten(block) else { return }
        let start = block * Self.blockSize
        guard start < size else { return }
        let length = Int(min(Self.blockSize, size - start))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 8)
        defer { buffer.deallocate() }
        try base.read(at: start, into: buffer)
        try Positioned.write(descriptor, path, UnsafeRawBufferPointer(buffer), at: start)
        mark(block)
    }

    /// How many bytes from `position` on, at most `limit`, are all in the copy or all not.
    private func run(at position: UInt64, limit: Int) -> (isWritten: Bool, length: Int) {
        var block = position / Self.blockSize
        let wanted = isWritten(block)
        var length = Int(Self.blockSize - position % Self.blockSize)
        while length < limit {
            block += 1
            guard isWritten(block) == wanted else { break }
            length += Int(Self.blockSize)
        }
        return (wanted, min(length, limit))
    }

    private func isWritten(_ block: UInt64) -> Bool { written[block / 64, default: 0] >> (block % 64) & 1 != 0 }
    private func mark(_ block: UInt64) { written[block / 64, default: 0] |= 1 << (block % 64) }
}
