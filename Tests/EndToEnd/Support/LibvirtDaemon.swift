import Foundation
import TerminalTestKit

/// The host's libvirt daemon: the system's where one runs, else one of the test's own.
final class LibvirtDaemon: Sendable {
    /// Where its sockets are.
    let directory: String
    private let own: Child?
    private let lab: LabEnvironment
    private static let asRoot = geteuid() == 0 ? [] : ["sudo", "-n"]

    var readOnlySocket: String { directory + "/libvirt-sock-ro" }

    private init(_ lab: LabEnvironment, directory: String, own: Child?) {
        self.lab = lab
        self.directory = directory
        self.own = own
    }

    /// - Throws: also when no daemon answers; its log is in the error.
    static func start(in lab: LabEnvironment) async throws -> LibvirtDaemon {
        let system = "/run/libvirt"
        if FileManager.default.fileExists(atPath: system + "/libvirt-sock") {
            return LibvirtDaemon(lab, directory: system, own: nil)
        }
        let directory = lab.directory + "/libvirt"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let settings = """
            unix_sock_dir = "\(directory)"
            auth_unix_ro = "none"
            auth_unix_rw = "none"
            unix_sock_ro_perms = "0777"
            """
        try settings.write(toFile: directory + "/libvirtd.conf", atomically: true, encoding: .utf8)
        let child = try Child(
            "/usr/bin/env",
            asRoot + ["libvirtd", "--config", directory + "/libvirtd.conf", "--pid-file", directory + "/pid"],
            variables: lab.variables, output: directory + "/log", errors: directory + "/errors")
        let daemon = LibvirtDaemon(lab, directory: directory, own: child)
        try await eventually("libvirtd's answer") {
            guard child.isRunning else {
                let log = (try? String(contentsOfFile: directory + "/errors", encoding: .utf8)) ?? ""
                throw LabEnvironment.Failure(description: "libvirtd ended with \(child.end()): \(log.suffix(1000))")
            }
            return try await daemon.run(["uri"]).status == 0
        }
        return daemon
    }

    /// Runs `virsh` on the host with all rights.
    func run(_ arguments: [String]) async throws -> LabEnvironment.Output {
        let name = lab.directory + "/virsh-\(UUID().uuidString.prefix(8))"
        let child = try Child(
            "/usr/bin/env",
            Self.asRoot + ["virsh", "-q", "-c", "qemu+unix:///system?socket=\(directory)/libvirt-sock"] + arguments,
            variables: lab.variables, output: name + ".out", errors: name + ".err")
        let status = await child.ended()
        return LabEnvironment.Output(
            status: status, text: try String(contentsOfFile: name + ".out", encoding: .utf8),
            errors: try String(contentsOfFile: name + ".err", encoding: .utf8))
    }

    @discardableResult
    func virsh(_ arguments: String...) async throws -> String {
        let output = try await run(arguments)
        guard output.status == 0 else {
            throw LabEnvironment.Failure(description: "virsh \(arguments): \(output.status): \(output.errors)")
        }
        return output.text
    }

    /// Ends it if it is the test's own.
    func stop() {
        guard let own else { return }
        own.kill()
        _ = own.end()
    }
}
