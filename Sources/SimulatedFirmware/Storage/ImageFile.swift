import Glibc

/// A raw image file or block device, locked against a second user for as long as it is open.
///
/// What is written is in the host's page cache, safe from the end of this process; `flush` is a real fdatasync. After one
/// has failed nobody knows what reached the disk, so that no later one succeeds.
final class ImageFile: BlockStore {
    let path: String
    let size: UInt64
    /// Device and inode: the same for the same file.
    let identifier: UInt64
    private let descriptor: CInt
    private var failedFlush: StorageFailure?

    /// - Throws: `CatalogueError.badStorageImage` or `inUse`.
    init(path: String, isWritable: Bool) throws(CatalogueError) {
        let descriptor = open(path, (isWritable ? O_RDWR : O_RDONLY) | O_CLOEXEC)
        guard descriptor >= 0 else { throw .badStorageImage(path, reason: SocketFile.reason(errno)) }
        do throws(CatalogueError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                throw .badStorageImage(path, reason: SocketFile.reason(errno))
            }
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFREG || kind == S_IFBLK else {
                throw .badStorageImage(path, reason: "it is neither a file nor a block device")
            }
            // A writer shares with nobody, readers with each other.
            guard flock(descriptor, (isWritable ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
                if errno == EWOULDBLOCK { throw .inUse(path) }
                throw .badStorageImage(path, reason: "cannot lock it: \(SocketFile.reason(errno))")
            }
            let end = lseek(descriptor, 0, SEEK_END)
            guard end >= 0 else { throw .badStorageImage(path, reason: SocketFile.reason(errno)) }
            size = UInt64(end)
            identifier = UInt64(truncatingIfNeeded: status.st_dev) << 40 ^ UInt64(truncatingIfNeeded: status.st_ino)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageFailure) {
        try Positioned.read(descriptor, path, at: offset, into: buffer)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageFailure) {
        try Positioned.write(descriptor, path, bytes, at: offset)
    }

    func unlock() { flock(descriptor, LOCK_UN) }

    func flush() throws(StorageFailure) {
        if let failedFlush { throw failedFlush }
        while fdatasync(descriptor) != 0 {
            if errno == EINTR { continue }
            let failure = StorageFailure(operation: .flush, path: path, code: errno)
            failedFlush = failure
            throw failure
        }
    }
}

/// pread and pwrite that move everything.
enum Positioned {
    static func read(
        _ descriptor: CInt, _ path: String, at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(StorageFailure) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageFailure(operation: .read, path: path, code: errno)
            }
            if count == 0 { throw StorageFailure(operation: .read, path: path, code: nil) }
            done += count
        }
    }

    static func write(
        _ descriptor: CInt, _ path: String, _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(StorageFailure) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageFailure(operation: .write, path: path, code: errno)
            }
            if count == 0 { throw StorageFailure(operation: .write, path: path, code: ENOSPC) }
            done += count
        }
    }
}
