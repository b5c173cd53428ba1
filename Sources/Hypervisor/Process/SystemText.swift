import Foundation

/// The system's text for an errno value.
func errorText(_ code: CInt) -> String {
    // glibc keeps the text in thread-local storage since 2.32.
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

/// Outside text made fit for one line of a terminal: control characters become `?`, at most `limit` characters.
func printable(_ text: String, limit: Int = 128) -> String {
    let shown = text.unicodeScalars.prefix(limit).map { scalar -> Character in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: "?"
        default: Character(scalar)
        }
    }
    return String(shown)
}

/// At most `limit` bytes of a file, read in one go: procfs files have no size to ask for.
func readFile(_ path: String, limit: Int) throws(FileReadError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileReadError(path: path, code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(limit, 64 << 10))
    while bytes.count < limit {
        let count = read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
        if count < 0 {
            if errno == EINTR { continue }
            throw FileReadError(path: path, code: errno)
        }
        if count == 0 { break }
        bytes.append(contentsOf: chunk[0..<count])
    }
    return bytes
}

/// A file that cannot be read.
struct FileReadError: Error, CustomStringConvertible {
    let path: String
    let code: CInt
    var description: String { "cannot read \(path): \(errorText(code))" }
}
