import ControlClient
import ControlProtocol
import Foundation
import Synchronization
import TerminalTestKit
import TestDirectory

/// One test's own world: directories, configuration, engine and consoles, of which ``end()`` leaves nothing.
final class LabEnvironment: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Short: a UNIX socket's path has 107 bytes.
    let directory: String
    /// What every program of this world is started with.
    let variables: [String: String]
    private let consoles = Mutex<[ConsoleDriver]>([])

    var configuration: String { directory + "/config.toml" }
    var socket: String { directory + "/engine.sock" }
    var engineLog: String { directory + "/state/2virt/engine.log" }
    var serialSocket: String { directory + "/tty.sock" }

    /// - Parameter devices: TOML after `[engine]` and `[[vms]]`; `@` stands for the private directory.
    init(vms: String, devices: String) throws {
        directory = TemporaryDirectory.unusedPath()
        variables = [
            "HOME": directory, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": directory + "/config", "XDG_STATE_HOME": directory + "/state",
            "XDG_CACHE_HOME": directory + "/cache", "XDG_RUNTIME_DIR": directory,
        ]
        try FileManager.default.createDirectory(
            atPath: directory + "/state/2virt", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        chmod(directory, 0o700)
        let text = """
            [engine]
            socket = "\(socket)"

            \(vms)

            \(devices.replacingOccurrences(of: "@", with: directory))
            """
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    /// Runs `body` in a world that is gone afterwards, whatever happens; a failure carries what there was to be seen.
    static func use(
        vms: String, devices: String, guests: LabGuests? = .current, _ body: (LabEnvironment) async throws -> Void
    ) async throws {
        let lab = try LabEnvironment(vms: vms, devices: devices)
        do {
            try await body(lab)
        } catch {
            let evidence = lab.evidence(guests)
            await lab.end()
            throw Failure(description: "\(error)\n\(evidence)")
        }
        await lab.end()
    }

    // MARK: The command

    struct Output: Sendable {
        var status: Int32
        var text: String
        var errors: String
    }

    /// Runs `2virt` to its end.
    func run(_ arguments: String...) async throws -> Output { try await run(arguments) }

    func run(_ arguments: [String], variables: [String: String]? = nil) async throws -> Output {
        let name = directory + "/run-\(UUID().uuidString.prefix(8))"
        let child = try Child(
            try BuiltProducts.path(of: "2virt"), arguments, variables: variables ?? self.variables,
            output: name + ".out", errors: name + ".err")
        let status = await child.ended()
        defer {
            unlink(name + ".out")
            unlink(name + ".err")
        }
        return Output(
            status: status, text: try String(contentsOfFile: name + ".out", encoding: .utf8),
            errors: try String(contentsOfFile: name + ".err", encoding: .utf8))
    }

    /// Runs a verb against this world's engine; throws unless it exits with 0.
    @discardableResult
    func check(_ arguments: String...) async throws -> String {
        let output = try await run(arguments + ["--config", configuration])
        guard output.status == 0 else {
            throw Failure(description: "2virt \(arguments.joined(separator: " ")): \(output.status): \(output.errors)")
        }
        return output.text
    }

    // MARK: The engine

    /// Starts an engine and returns when it answers.
    func startEngine() async throws {
        let child = try Child(
            try BuiltProducts.path(of: "2virt"), ["engine", "--config", configuration], variables: variables,
            output: directory + "/engine.out", errors: engineLog)
        try await eventually("an engine on \(socket)") {
            if !child.isRunning { throw Failure(description: "the engine ended with \(child.end())") }
            guard let client = try? await ControlClient.connect(to: self.socket, actor: "test") else { return false }
            client.close()
            return true
        }
    }

    /// The process id of whoever serves the control socket.
    func enginePID() async throws -> Int32 {
        let client = try await ControlClient.connect(to: socket, actor: "test")
        defer { client.close() }
        return client.greeting.pid
    }

    /// Kills the engine without a word, and returns when it is gone.
    func killEngine() async throws {
        let pid = try await enginePID()
        kill(pid, SIGKILL)
        try await eventually("the end of engine \(pid)") { !isAlive(pid) }
    }

    func snapshot() async throws -> Snapshot {
        let client = try await ControlClient.connect(to: socket, actor: "test")
        defer { client.close() }
        guard case .snapshot(let snapshot) = try await client.send(.snapshot) else {
            throw Failure(description: "the engine did not answer with a snapshot")
        }
        return snapshot
    }

    func device(_ name: String) async throws -> DeviceSnapshot {
        guard let device = try await snapshot().device(name) else { throw Failure(description: "no device \(name)") }
        return device
    }

    /// Where a guest with QEMU's user network attaches an exported device: address with port, and bus id.
    func exported(_ name: String) async throws -> (address: String, bus: String) {
        var line = ""
        try await eventually("the device to be offered") {
            line = try await device(name).export?.attachLine ?? ""
            return !line.isEmpty
        }
        let words = line.replacing("2virt-guest attach ", with: "").split(separator: " ")
        guard words.count == 2, let port = words[0].split(separator: ":").last else {
            throw Failure(description: "no address and bus id: \(line)")
        }
        return ("10.0.2.2:\(port)", String(words[1]))
    }

    // MARK: Consoles

    /// Opens a console in a terminal of its own.
    func console(
        columns: Int = 200, rows: Int = 60, arguments: String = "", environment: [String: String] = [:]
    ) throws -> ConsoleDriver {
        try terminal(
            columns: columns, rows: rows, arguments: "--config \(configuration) \(arguments)", environment: environment)
    }

    /// Runs `2virt` with these arguments in a terminal of its own.
    func terminal(
        columns: Int, rows: Int, arguments: String, environment: [String: String] = [:]
    ) throws -> ConsoleDriver {
        let console = try ConsoleDriver(
            self, columns: columns, rows: rows, arguments: arguments, environment: environment)
        consoles.withLock { $0.append(console) }
        return console
    }

    // MARK: The end

    /// Unplugs what is plugged, ends all processes of this world and removes its directory.
    func end() async {
        for console in consoles.withLock({ $0 }) { try? console.close() }
        if let snapshot = try? await snapshot() {
            for device in snapshot.devices where device.state != .unplugged {
                _ = try? await run("unplug", device.name, "--config", configuration)
            }
        }
        for signal in [SIGTERM, SIGKILL] {
            let left = processes
            for pid in left { kill(pid, signal) }
            if (try? await eventually("the end of \(left)", seconds: 5) { self.processes.isEmpty }) != nil { break }
        }
        // Only now: whoever wrote there is gone.
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Everything that was started in this world and lives, told by its environment, which children inherit.
    var processes: [Int32] {
        let mark = Data("XDG_RUNTIME_DIR=\(directory)\0".utf8)
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { pid in
            // Gone, or somebody else's: not ours.
            guard isAlive(pid), let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
                return false
            }
            return environment.range(of: mark) != nil
        }
    }

    // MARK: What a failure shows

    /// The end of the engine's log, of the guests' kernel logs, and all screens.
    func evidence(_ guests: LabGuests?) -> String {
        var parts = consoles.withLock { $0 }.map { "--- console \($0.name)\n" + ((try? $0.screen) ?? "closed") }
        let log = (try? String(contentsOfFile: engineLog, encoding: .utf8)) ?? "none"
        parts.append("--- engine log\n" + log.split(separator: "\n").suffix(30).joined(separator: "\n"))
        for guest in guests?.running ?? [] {
            parts.append("--- kernel of \(guest.name)\n" + guest.kernelLog().suffix(15).joined(separator: "\n"))
        }
        return parts.joined(separator: "\n")
    }
}

/// Whether a process exists and has not just left its exit status behind.
func isAlive(_ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = status.lastIndex(of: ")")
    else { return false }
    return !status[end...].dropFirst(2).hasPrefix("Z")
}

/// Asks until the answer is yes: for things that tell nobody when they change.
func eventually(
    _ what: String, seconds: Double = 30, every interval: Duration = .milliseconds(50),
    _ isSo: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        if try await isSo() { return }
        guard ContinuousClock.now < end else {
            throw LabEnvironment.Failure(description: "\(what): not within \(seconds) s")
        }
        try await Task.sleep(for: interval)
    }
}

extension LabEnvironment {
    /// Runs a shell script on this machine with busybox's programs, in the private directory; throws unless it exits with
    /// 0. What it leaves running ends with the world.
    @discardableResult
    func host(_ script: String) async throws -> String {
        let name = directory + "/host-\(UUID().uuidString.prefix(8))"
        let child = try Child(
            "/bin/busybox", ["sh", "-c", "cd \(directory) && \(script)"], variables: variables, output: name,
            errors: name)
        let status = await child.ended()
        defer { unlink(name) }
        let text = try String(contentsOfFile: name, encoding: .utf8)
        guard status == 0 else { throw Failure(description: "\(script): \(status): \(text)") }
        return text
    }

    /// Appends to the configuration; an engine that runs does not look at it again.
    func add(_ text: String) throws {
        let old = try String(contentsOfFile: configuration, encoding: .utf8)
        try (old + "\n" + text.replacingOccurrences(of: "@", with: directory) + "\n")
            .write(toFile: configuration, atomically: true, encoding: .utf8)
    }
}
