import Foundation

/// A built guest: an unpacked kernel and an initramfs with its contents, both in the cache and never written again.
public struct GuestImage: Sendable, Equatable {
    /// What `uname -r` prints in the guest.
    public let kernelRelease: String
    public let directory: String
    public var contents = GuestContents.base

    public var kernelPath: String { directory + "/vmlinux" }
    public var initramfsPath: String { directory + "/initramfs" }

    /// MiB that a guest of it needs at least: the archive, what comes out of it, and the kernel.
    func memoryNeeded(initramfs path: String) throws -> Int {
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        return 160 + 3 * (size >> 20)
    }

    /// Throws unless the kernel is an ELF file and the initramfs a whole archive with an `/init`.
    func verify() throws {
        let kernel = try Data(contentsOf: URL(fileURLWithPath: kernelPath), options: .alwaysMapped)
        guard kernel.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            throw LabError.malformed(file: kernelPath, reason: "not an ELF file")
        }
        let archive = try Data(contentsOf: URL(fileURLWithPath: initramfsPath), options: .alwaysMapped)
        let members = try CPIOReader.members(of: archive, named: initramfsPath)
        guard members.contains(where: { $0.path == "init" }) else {
            throw LabError.malformed(file: initramfsPath, reason: "has no /init")
        }
    }
}
