import Foundation
import GuestLab

/// A private directory for all that a demo makes; removed at its end.
struct DemoDirectory: Sendable {
    private let directory: ScratchDirectory

    var path: String { directory.path }
    var configuration: String { path + "/demo.toml" }
    var socket: String { path + "/engine.sock" }
    var vms: String { path + "/vms" }
    var log: String { path + "/engine.log" }

    init() throws {
        directory = try ScratchDirectory("2virt-demo")
        try FileManager.default.createDirectory(
            atPath: vms, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func writeConfiguration(upstreamPort: Int) throws {
        let text = """
            # A demo's configuration; see the README for what else there is.
            [engine]
            socket = "\(socket)"

            [[vms]]
            source = "qmp-directory"
            path = "\(vms)"

            [[device]]
            name = "demo"
            interfaces = [
              { kind = "web-service", name = "web", upstreams = ["127.0.0.1:\(upstreamPort)"] },
              { kind = "serial", name = "tty", to = "pty" },
            ]

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: configuration))
    }

    /// - Throws: what cannot be removed, and why.
    func remove() throws {
        // The engine keeps its state with the user's; this engine's is of no use to anybody. It may not be there yet.
        unlink(EngineConfiguration.settings(socket: socket).stateFile)
        try directory.remove()
    }
}
