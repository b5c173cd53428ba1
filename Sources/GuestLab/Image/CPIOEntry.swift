import Foundation

/// One member of an initramfs.
struct CPIOEntry: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case directory
        case file(Data)
        case symbolicLink(target: String)
        case characterDevice(major: UInt32, minor: UInt32)
    }

    /// Relative to the root, without a leading slash.
    var path: String
    /// The low twelve mode bits.
    var permissions: UInt32
    var kind: Kind
}
