import Glibc

/// Small files and folders of sysfs, read without trusting their size or content.
enum SystemFile {
    /// No attribute of sysfs is longer than one page.
    static let limit = 4096
    /// More entries than any bus can hold.
    static let entryLimit = 16384

    /// The first `limit` bytes of a file, or nil when it cannot be read.
    static func bytes(_ path: String, limit: Int = SystemFile.limit) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content = [UInt8](repeating: 0, count: limit)
        var filled = 0
        while filled < limit {
            let count = content.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + filled }, limit - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            filled += count
        }
        return Array(content.prefix(filled))
    }

    /// One line of text: at most 255 characters, control characters replaced, so that it is safe on a terminal.
    static func line(_ path: String) -> String? {
        guard let content = bytes(path) else { return nil }
        return printable(content.prefix { $0 != 0x0A && $0 != 0 })
    }

    static func printable(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars.prefix(255) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            text.append(isControl ? "\u{FFFD}" : scalar)
        }
        while let last = text.last, last == " " { text.removeLast() }
        return String(text)
    }

    static func hexadecimal<T: FixedWidthInteger>(_ path: String, as type: T.Type) -> T? {
        line(path).flatMap { T($0, radix: 16) }
    }

    static func decimal<T: FixedWidthInteger>(_ path: String, as type: T.Type) -> T? {
        line(path).flatMap { T($0.drop { $0 == " " }, radix: 10) }
    }

    /// Names in a folder, sorted; nil when it cannot be opened.
    static func entries(_ path: String) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < entryLimit, let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The last component of a symbolic link's target, e.g. a driver's name.
    static func linkName(_ path: String) -> String? {
        var target = [UInt8](repeating: 0, count: limit)
        let count = target.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return readlink(path, base.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard count > 0 else { return nil }
        return printable(target.prefix(count)).split(separator: "/").last.map(String.init)
    }

    /// Writes all at once, as attributes of sysfs want it; answers 0 or the errno.
    static func write(_ text: String, to path: String, creating: Bool = false) -> Int32 {
        let flags = O_WRONLY | O_CLOEXEC | (creating ? O_CREAT | O_TRUNC | O_NOFOLLOW : 0)
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count == bytes.count { return 0 }
            if count >= 0 { return EIO }
            if errno != EINTR { return errno }
        }
    }
}
