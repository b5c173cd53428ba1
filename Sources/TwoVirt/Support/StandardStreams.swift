import Foundation

/// Lines for the operator.
enum StandardError {
    static func write(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}

/// Lines for the operator or the next program of a pipe.
enum StandardOutput {
    /// A reader that has left (`| head`) ends the process quietly; any other failed write ends it with the reason.
    static func write(_ line: String) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if errno == EPIPE {
                exit(0)
            } else if errno != EINTR {
                StandardError.write("2virt: standard output: \(String(cString: strerror(errno)))")
                exit(1)
            }
        }
    }

    static func writeJSON(_ value: some Encodable, isPretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = isPretty ? [.prettyPrinted, .sortedKeys] : [.sortedKeys]
        encoder.outputFormatting.insert(.withoutEscapingSlashes)
        write(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
