import Foundation

/// A private directory with a short path: sockets in it have 107 bytes for their whole path.
struct TemporaryDirectory: Sendable {
    let path: String

    init(_ prefix: String) throws {
        let base = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        var template = Array("\(base)/\(prefix)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BenchmarkError.environment("cannot make a directory in \(base): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
