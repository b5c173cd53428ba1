import ArgumentParser
import Glibc
import GuestClientKit

/// `2virt-guest watch HOST[:PORT] [--name GUEST] [--only DEVICE…] [--no-reattach] [--tls …]`
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Attach what the host's operator plugs into this guest, and detach on unplug.",
        discussion: """
            Runs until it is ended; devices stay attached then. After a loss of the network or of the engine devices are \
            attached again, with pauses from a second to half a minute. What this guest's user detaches ('detach') or \
            removes stays away until the operator plugs it again. Needs root and the driver vhci-hcd.
            """)

    @Argument(help: "HOST or HOST:PORT; the port is 3240 unless given.")
    var host: ExporterAddress

    @Option(help: ArgumentHelp("What the host calls this guest; the host name by default.", valueName: "guest"))
    var name: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Take these devices and no others.", valueName: "device"))
    var only: [String] = []

    @Flag(help: "Do not attach a device again by itself after its connection was lost.")
    var noReattach = false

    @OptionGroup var tls: TLSOptions

    func validate() throws {
        if let name, name.isEmpty || name.utf8.count > 255 {
            throw ValidationError("--name takes 1 to 255 bytes")
        }
    }

    func run() throws {
        // Before any thread starts, so that every thread inherits the mask and only one sees the signals.
        let signals = TerminationSignals()
        try reportingStatus { () throws(GuestError) in
            let stop = try StopSignal()
            let watcher = try Watcher(
                address: host, guest: name ?? Self.hostName,
                policy: WatchPolicy(only: Set(only), reattaches: !noReattach), tls: tls.files, stop: stop,
                report: { StandardError.write("2virt-guest: \($0)\n") })
            signals.onArrival { stop.stop() }
            try watcher.run()
        }
    }

    private static var hostName: String {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
