import Foundation

/// Where a guest's sockets and files lie.
struct GuestPaths: Sendable {
    /// Private to the guest, 0700, removed with it.
    let directory: String
    let qmpDirectory: String
    let name: String

    var engineQMP: String { "\(qmpDirectory)/\(name).qmp" }
    var monitor: String { directory + "/monitor" }
    var command: String { directory + "/command" }
    var guestAgent: String { directory + "/guest-agent" }
    var shell: String { directory + "/shell" }
    var kernelLog: String { directory + "/kernel.log" }
    var errorLog: String { directory + "/qemu.log" }
    var initramfs: String { directory + "/initramfs" }

    /// Makes the private directory; without a `qmpDirectory` the engine's socket gets a folder of its own in it.
    static func make(name: String, qmpDirectory: String?) throws -> GuestPaths {
        let directory = try ScratchDirectory("2virt-lab").path
        let paths = GuestPaths(directory: directory, qmpDirectory: qmpDirectory ?? directory + "/vms", name: name)
        do {
            try FileManager.default.createDirectory(
                atPath: paths.qmpDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for path in [paths.engineQMP, paths.monitor, paths.command, paths.shell, paths.guestAgent] {
                // sockaddr_un.sun_path holds 108 bytes with its NUL (unix(7)).
                guard path.utf8.count < 108 else {
                    throw LabError.configuration("\(path) is too long for a UNIX socket; choose a shorter directory")
                }
            }
            guard !FileManager.default.fileExists(atPath: paths.engineQMP) || !isLive(paths.engineQMP) else {
                throw LabError.configuration("\(paths.engineQMP) belongs to a running VM; choose another name")
            }
        } catch {
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
        return paths
    }

    func remove() {
        // QEMU unlinks its sockets only when it ends by itself.
        unlink(engineQMP)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Whether somebody listens on a UNIX socket.
    private static func isLive(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
