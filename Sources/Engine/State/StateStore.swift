import Foundation

/// Keeps the engine's state in one file, replaced atomically; a damaged file is set aside, never trusted.
struct StateStore: Sendable {
    /// A larger file is not ours.
    private static let maximumSize = 16 << 20

    let file: String

    enum Reading {
        case none
        case state(EngineState)
        /// The file was no state of ours; it now has the name `setAside`.
        case damaged(reason: String, setAside: String)
    }

    func read(now: Date = Date()) throws -> Reading {
        guard FileManager.default.fileExists(atPath: file) else { return .none }
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        let data = try handle.read(upToCount: Self.maximumSize + 1) ?? Data()
        do {
            guard data.count <= Self.maximumSize else { throw StateError.tooLarge }
            let state = try JSONDecoder().decode(EngineState.self, from: data)
            guard state.version == EngineState.version else { throw StateError.version(state.version) }
            return .state(state)
        } catch {
            let setAside = "\(file).damaged-\(Int(now.timeIntervalSince1970))"
            guard rename(file, setAside) == 0 else {
                throw StateError.system("rename", file, String(cString: strerror(errno)))
            }
            return .damaged(reason: Self.reason(error), setAside: setAside)
        }
    }

    /// The file holds either the old state or the new one, also after a power cut.
    func write(_ state: EngineState) throws {
        let directory = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let data = try encoder.encode(state)
        let temporary = "\(file).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateError.system("create", temporary, String(cString: strerror(errno))) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: data)
        try handle.synchronize()
        try handle.close()
        guard rename(temporary, file) == 0 else {
            throw StateError.system("rename", temporary, String(cString: strerror(errno)))
        }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as StateError: error.description
        case DecodingError.keyNotFound(let key, _): "key '\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "wrong value at '\(context.codingPath.map(\.stringValue).joined(separator: "."))'"
        default: "it is not JSON"
        }
    }
}

/// Why the state cannot be read or written.
enum StateError: Error, CustomStringConvertible {
    case tooLarge
    case version(Int)
    case system(String, String, String)

    var description: String {
        switch self {
        case .tooLarge: "it is larger than 16 MiB"
        case .version(let version): "it has version \(version), this engine knows \(EngineState.version)"
        case .system(let operation, let path, let message): "cannot \(operation) \(path): \(message)"
        }
    }
}
