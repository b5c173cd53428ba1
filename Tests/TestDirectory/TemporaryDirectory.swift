import Foundation

/// A directory of a test's own, closed to others and short enough for socket paths; removed with the last reference to it.
public final class TemporaryDirectory: Sendable {
    /// Bytes that TMPDIR may have: a UNIX socket's path ends at 107, and tests put up to fifty below their directory.
    private static let longestParent = 40

    public let path: String

    public init() throws {
        path = Self.unusedPath()
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            // Nobody is there to throw to; what is left behind must not go unnoticed.
            FileHandle.standardError.write(Data("\(path) was not removed: \(error)\n".utf8))
        }
    }

    /// Where a control socket goes.
    public var socket: String { file("engine.sock") }

    public func file(_ name: String) -> String { path + "/" + name }

    /// A path at which nothing is: in TMPDIR, or in /tmp where that is too long for sockets.
    public static func unusedPath() -> String {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        let parent = wanted.hasPrefix("/") && wanted.utf8.count <= longestParent ? wanted : "/tmp"
        let digits = String(UInt64.random(in: 0 ... .max), radix: 36)
        return parent + (parent.hasSuffix("/") ? "" : "/") + "2v-" + digits
    }
}
