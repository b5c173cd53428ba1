import USBClasses

/// An image and how it is offered: as a CD-ROM when its name ends in `.iso`, which nobody can write, else as a disk.
public struct StorageTarget: Sendable, Equatable {
    public let path: String
    public let mode: StorageMode

    /// - Parameter mode: nil for `direct`, or `read-only` for an ISO file.
    /// - Throws: `CatalogueError.badStorageMode` or `badStorageImage`.
    public init(image path: String, mode word: String?) throws(CatalogueError) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw .badStorageImage(path, reason: "it is not an absolute path")
        }
        self.path = path
        let isISO = Self.isISO(path)
        guard let word else {
            mode = isISO ? .readOnly : .direct
            return
        }
        guard let mode = StorageMode(rawValue: word) else { throw .badStorageMode(word) }
        guard !isISO || mode == .readOnly else {
            throw .badStorageImage(path, reason: "an ISO file is a CD-ROM, whose mode can be read-only only")
        }
        self.mode = mode
    }

    var type: SCSIMedium.DeviceType { Self.isISO(path) ? .cdrom : .disk }

    private static func isISO(_ path: String) -> Bool { path.lowercased().hasSuffix(".iso") }
}
