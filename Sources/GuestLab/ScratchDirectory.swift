import Foundation

/// A fresh directory of the user's own (0700), with a short path: UNIX sockets in it have 107 bytes for theirs.
public struct ScratchDirectory: Sendable {
    public let path: String

    /// Makes `PREFIX-XXXXXX` in `TMPDIR`, or in /tmp where that is not an absolute path.
    ///
    /// - Throws: ``LabError/system(what:path:errno:)``.
    public init(_ prefix: String) throws {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        var template = Array("\(parent)/\(prefix)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw LabError.system(what: "cannot make a directory in", path: parent, errno: errno)
        }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes it with all that is in it.
    public func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
