import Foundation

/// A file the caller puts into one guest beside the cached base, such as a program under test.
public struct GuestFile: Sendable, Equatable {
    public enum Contents: Sendable, Equatable {
        case bytes(Data)
        /// Read from the host when the guest boots.
        case hostFile(String)
    }

    /// Absolute path in the guest.
    public let path: String
    public let contents: Contents
    public let permissions: UInt32

    public init(path: String, contents: Contents, permissions: UInt32 = 0o755) {
        self.path = path
        self.contents = contents
        self.permissions = permissions & 0o7777
    }

    func entry() throws -> CPIOEntry {
        let data: Data
        switch contents {
        case .bytes(let bytes): data = bytes
        case .hostFile(let path):
            do {
                data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
            } catch {
                throw LabError.configuration("cannot read \(path), which the guest should carry: \(error)")
            }
        }
        return CPIOEntry(path: MergedUsr.path(path), permissions: permissions, kind: .file(data))
    }
}
