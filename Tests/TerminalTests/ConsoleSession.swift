import ControlProtocol
import FakeEngine
import Foundation
import TerminalTestKit
import TestDirectory

/// A console in a terminal, with an engine behind it.
struct ConsoleSession {
    let directory: TemporaryDirectory
    let engine: FakeEngine
    let tmux: Tmux

    /// - Parameters:
    ///   - environment: put over the usual one; an empty value takes the variable away.
    ///   - launcher: put before the program, as `setsid`.
    init(
        columns: Int = 100, rows: Int = 30, environment: [String: String] = [:], launcher: String = "exec",
        arguments: String = "", snapshot: Snapshot = .lab
    ) async throws {
        directory = try TemporaryDirectory()
        engine = try await FakeEngine.start(socket: directory.socket, behaviour: .serving(snapshot))
        tmux = try Tmux(
            columns: columns, rows: rows,
            shell: Self.script(
                try BuiltProducts.path(of: "2virt"), "--socket \(directory.socket) \(arguments)", directory,
                environment: environment, launcher: launcher))
    }

    /// Runs a program, then says how it ended and in which modes the terminal is.
    static func script(
        _ program: String, _ arguments: String, _ directory: TemporaryDirectory, environment: [String: String] = [:],
        launcher: String = "exec"
    ) -> String {
        let values = [
            "HOME": directory.path, "PATH": "/usr/bin:/bin", "TERM": "tmux-256color", "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": directory.path, "XDG_STATE_HOME": directory.path,
        ].merging(environment) { $1 }
        let settings = values.filter { !$0.value.isEmpty }.map { "\($0.key)='\($0.value)'" }.sorted()
        return """
            sh -c 'echo $$ > \(directory.path)/pid; \(launcher) env -i \(settings.joined(separator: " ")) \
            \(program) \(arguments)'; \
            echo "rc=$?"; stty -a | tr " ;" "\\n\\n" | grep -x -e icanon -e -icanon -e echo -e -echo | xargs echo modes; \
            sleep 1000
            """
    }

    var pid: Int32 { get throws { try Self.pid(in: directory) } }

    /// The process id that `script` has left there.
    static func pid(in directory: TemporaryDirectory) throws -> Int32 {
        let file = directory.path + "/pid"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Tmux.Failure(description: "no process id in \(file)")
        }
        return pid
    }

    /// Waits for the first picture.
    func isUp() async throws {
        try await tmux.wait(for: "the first picture") { $0.contains("web-01") }
    }

    /// Waits until the shell has told how the console ended; returns the screen.
    func end() async throws -> String { try await tmux.wait(for: "modes") }
}

extension Snapshot {
    /// Two VMs and a device in one of them.
    static let lab = Snapshot(
        revision: 1, time: 1_700_000_000,
        engine: EngineSnapshot(hostName: "lab-7", version: "0.1.0", pid: 4312, startedAt: 1_700_000_000),
        vms: [
            VMSnapshot(id: "a", name: "web-01", source: "qmp", state: .running, since: 1_700_000_000),
            VMSnapshot(id: "b", name: "web-02", source: "qmp", state: .paused, since: 1_700_000_000),
        ],
        devices: [
            DeviceSnapshot(
                name: "desk", idVendor: 0x1209, idProduct: 1, product: "Desk", serialNumber: "1", firmware: .simulated,
                state: .plugged, since: 1_700_000_000, by: "root@pts/1",
                attachment: Attachment(vm: "web-01", via: .usbredir),
                guest: .configured,
                interfaces: [InterfaceSnapshot(name: "tty", kind: "serial", title: "Serial", number: 0)])
        ])
}
