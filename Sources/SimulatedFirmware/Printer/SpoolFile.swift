import Glibc

/// Files of a spool folder: written under a hidden name, and given their own when whole. Used by one thread.
final class SpoolFile {
    /// What went wrong, with errno.
    struct Failure: Error, Equatable, CustomStringConvertible {
        var what: String
        var code: CInt
        var description: String { "\(what): \(SocketFile.reason(code))" }
    }

    private let folder: String
    private let prefix: String
    private var descriptor: CInt = -1
    private var hiddenPath = ""
    private var length: UInt64 = 0

    /// - Parameter prefix: what the names of its files begin with; must be fit for a file name.
    init(folder: String, prefix: String) {
        self.folder = folder
        self.prefix = prefix
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends to the file in hand, or begins one. When it fails nothing counts as written: the same bytes may come again.
    func write(_ bytes: [UInt8]) throws(Failure) {
        if descriptor < 0 { try create() }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done, off_t(length) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(what: hiddenPath, code: count < 0 ? errno : ENOSPC) }
            done += count
        }
        length += UInt64(bytes.count)
    }

    /// Gives the file its name once it is on the disk; nil when there is none.
    func finish() throws(Failure) -> String? {
        guard descriptor >= 0 else { return nil }
        guard fsync(descriptor) == 0 else { throw Failure(what: hiddenPath, code: errno) }
        let stamp = Self.timestamp()
        for number in 1...9999 {
            let path = "\(folder)/\(prefix)-\(stamp)-\(number).prn"
            // Unlike rename, link replaces nothing.
            if link(hiddenPath, path) == 0 {
                unlink(hiddenPath)
                close(descriptor)
                descriptor = -1
                syncFolder()
                return path
            }
            guard errno == EEXIST else { throw Failure(what: path, code: errno) }
        }
        throw Failure(what: folder, code: EEXIST)
    }

    private func create() throws(Failure) {
        var template = Array("\(folder)/.\(prefix)-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure(what: folder, code: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        hiddenPath = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        length = 0
    }

    /// The name is durable too; a folder that cannot be synchronised (some network file systems) loses no data by it.
    private func syncFolder() {
        let folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// UTC, such as `20260131-235959`.
    private static func timestamp() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func digits(_ value: CInt) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))-"
            + "\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))"
    }
}
