import Foundation

/// The text of an errno value.
func describe(errno code: Int32) -> String {
    String(cString: strerror(code))
}

/// A fresh private directory under the system's temporary directory, 0700.
func makeTemporaryDirectory(prefix: String) throws -> String {
    let parent = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array("\(parent)/\(prefix)-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else { throw LabError.system(what: "cannot make a directory in", path: parent, errno: errno) }
    return made
}
