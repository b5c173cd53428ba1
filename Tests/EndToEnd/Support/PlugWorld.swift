import ControlProtocol
import GuestLab

/// An engine that exports a serial port with a web service, and a guest with a network card that may be told to attach it.
struct PlugWorld {
    static let watchLog = "/tmp/watch.log"

    let lab: LabEnvironment
    let guest: Guest
    let web: WebServer
    /// Of the exporter; the same for every engine of this world.
    let port: Int

    /// Runs `body`; afterwards the guest watches nothing and has nothing attached.
    static func use(_ body: (PlugWorld) async throws -> Void) async throws {
        let guests = try LabGuests.here
        let guest = try await guests.networked()
        let port = try WebServer.freePort()
        try await LabEnvironment.use(vms: guests.source, devices: "[usbip]\nlisten = [\"127.0.0.1:\(port)\"]") { lab in
            let web = try await WebServer.start(in: lab)
            try lab.add(LabDevices.desk(upstream: web.port))
            try web.put("hello", text: "by wire\n")
            try await lab.startEngine()
            let world = PlugWorld(lab: lab, guest: guest, web: web, port: port)
            do {
                try await body(world)
            } catch {
                let log = try await guest.run("cat \(watchLog); 2virt-guest ports").text
                try await world.leave()
                throw LabEnvironment.Failure(description: "\(error)\n--- in the guest\n\(log)")
            }
            try await world.leave()
        }
    }

    private func leave() async throws {
        try await guest.check(
            """
            killall 2virt-guest 2>/dev/null
            for port in $(2virt-guest ports 2>/dev/null | sed -n 's/^port \\([0-9]*\\) .*/\\1/p'); do
                2virt-guest detach $port
            done
            rm -f \(Self.watchLog)
            """)
    }

    // MARK: The guest

    /// Starts `2virt-guest watch` and returns when the engine knows of it.
    func watch(_ options: String = "") async throws {
        try await guest.check(
            "2virt-guest watch 10.0.2.2:\(port) --name \(guest.name) \(options) >\(Self.watchLog) 2>&1 &")
        try await eventually("a watching guest", seconds: 60) {
            try await lab.snapshot().vm(guest.name)?.attachWay == .watch
        }
    }

    /// Ends the watch; the engine then knows the guest by its agent alone.
    func stopWatching() async throws {
        try await guest.check("killall 2virt-guest")
        try await eventually("no watching guest") { try await lab.snapshot().vm(guest.name)?.attachWay == .agent }
    }

    /// What the watch has said, one line each.
    func watchLines() async throws -> [String] {
        try await guest.check("cat \(Self.watchLog)").split(separator: "\n").map(String.init)
    }

    /// Bytes through the serial port and back, and a page of the web service.
    func useDesk(_ word: String) async throws {
        let peer = try await EchoPeer.connect(to: lab.serialSocket)
        let echo = try await guest.check(
            """
            stty -F /dev/ttyACM0 raw -echo
            exec 3<>/dev/ttyACM0
            echo \(word) >&3
            head -n 1 <&3
            """)
        guard echo == word else { throw LabEnvironment.Failure(description: "sent \(word), got “\(echo)”") }
        try await peer.close()
        try await guest.check("2virt-guest proxy --wait >/tmp/proxy.log 2>&1 & echo $! >/tmp/proxy.pid")
        try await eventually("a proxy") { try await guest.run("grep -q listening /tmp/proxy.log").exitCode == 0 }
        let page = try await guest.check("wget -qO- http://127.0.0.1:8080/hello")
        guard page == "by wire" else { throw LabEnvironment.Failure(description: "the web service says “\(page)”") }
        try await guest.check("kill $(cat /tmp/proxy.pid); rm -f /tmp/proxy.log /tmp/proxy.pid")
    }

    /// Runs `body` and returns when the guest's kernel has found the device since.
    func appears(_ body: () async throws -> Void) async throws {
        let mark = guest.kernelLogMark
        try await body()
        try await guest.waitForKernelLog(containing: "SerialNumber: desk", since: mark, timeout: .seconds(60))
        try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark, timeout: .seconds(30))
    }

    /// Runs `body` and returns when the guest's kernel has taken the device away and its port is free.
    func disappears(_ body: () async throws -> Void) async throws {
        let mark = guest.kernelLogMark
        try await body()
        try await guest.waitForDisconnect(since: mark)
        try await eventually("a free port") { try await guest.check("2virt-guest ports --json") == "[]" }
    }

    /// Returns when the engine says so of the device.
    func reaches(_ state: PlugState) async throws {
        try await eventually("desk \(state)") { try await lab.device("desk").state == state }
    }

    /// An attach that must not come would have come by then: longer than the first pauses of a watch.
    func staysAway() async throws {
        try await Task.sleep(for: .seconds(4))
        let ports = try await guest.check("2virt-guest ports --json")
        guard ports == "[]" else { throw LabEnvironment.Failure(description: "the guest has it again: \(ports)") }
    }
}
