import Foundation

/// A private directory for all that a demo makes; removed at its end.
struct DemoDirectory: Sendable {
    let path: String

    var configuration: String { path + "/demo.toml" }
    var socket: String { path + "/engine.sock" }
    var vms: String { path + "/vms" }
    var log: String { path + "/engine.log" }

    /// Short: the sockets in it have 107 bytes for their whole path.
    init() throws {
        let base = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        var template = Array("\(base)/2virt-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure("cannot make a directory in \(base): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
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

    func remove() {
        // The engine keeps its state with the user's; this engine's is of no use to anybody. It may not be there yet.
        unlink(EngineConfiguration.settings(socket: socket).stateFile)
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            StandardError.write("2virt: \(path) could not be removed: \(error.localizedDescription)")
        }
    }
}
