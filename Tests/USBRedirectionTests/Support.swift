import Foundation
import Testing

/// Files kept with the tests.
enum Fixtures {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures")
}

/// A directory of its own, short enough for socket paths and closed to others, removed at the end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = "/tmp/redir-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    func file(_ name: String) -> String { path + "/" + name }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record("\(path) was not removed: \(error)")
        }
    }
}
