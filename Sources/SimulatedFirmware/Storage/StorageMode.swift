/// How a storage interface treats its image.
public enum StorageMode: String, Sendable, CaseIterable {
    case direct
    /// Writes go to a copy that ends with the interface.
    case snapshot
    case readOnly = "read-only"
}
