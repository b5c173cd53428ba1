import Foundation

/// A private directory that is removed with the last reference to it.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        path = "/tmp/2virt-test-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public var socket: String { path + "/engine.sock" }
}
