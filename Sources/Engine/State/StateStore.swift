import Foundation

/// Keeps the engine's state in one file, replaced atomically; a damaged file is set aside, never trusted.
struct StateStore: Sendable {
    /// A larger file is not ours.
    private static let maximumSize = 16 << 20

    let file: String
    /// Writes happen here, one after the other: a slow disk holds up nobody but who waits for it.
    let queue = DispatchQueue(label: "state")

    enum Reading {
        case none
        case state(EngineState)
        /// The file was no state of ours; it now has the name `setAside`.
        case damaged(reason: String, setAside: String)
    }

    func read(now: Date = Date()) throws -> Reading {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .none }
            throw StateError.system("open", file, String(cString: strerror(errno)))
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StateError.system("read", file, "it is not a regular file")
        }
        let data = try handle.read(upToCount: Self.maximumSize + 1) ?? Data()
        do {
            guard data.count <= Self.maximumSize else { throw StateError.tooLarge }
            let state = try JSONDecoder().decode(EngineState.self, from: data)
            guard state.version == EngineState.version else { throw StateError.version(state.version) }
            return .state(state)
        } catch {
            let setAside = try Self.setAside(file, now: now)
            return .damaged(reason: Self.reason(error), setAside: setAside)
        }
    }

    /// Gives a file that is not to be trusted another name, which nothing has yet.
    private static func setAside(_ file: String, now: Date) throws -> String {
        let base = "\(file).damaged-\(Int(now.timeIntervalSince1970))"
        for name in [base] + (1...99).map({ "\(base)-\($0)" }) {
            // A link, unlike a rename, replaces nothing.
            if link(file, name) == 0 {
                guard unlink(file) == 0 else {
                    throw StateError.system("remove", file, String(cString: strerror(errno)))
                }
                return name
            }
            guard errno == EEXIST else { throw StateError.system("rename", file, String(cString: strerror(errno))) }
        }
        throw StateError.system("rename", file, "there are 100 damaged ones already; remove them")
    }

    /// The file holds either the old state or the new one, also after a power cut.
    func write(_ state: EngineState) throws {
        let directory = (file as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StateError.system("make", directory, (error as NSError).localizedDescription)
        }
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
