import ArgumentParser
import Dispatch
import GuestClientKit

/// `2virt-guest services [--watch] [--json]`
struct ServicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services", abstract: "Show the services that this guest's devices offer.",
        discussion: """
            With --watch, says what is added (+), removed (-) and changed (~) until it is interrupted; with --json as \
            well, one JSON object a line.
            """)

    @Option(help: ArgumentHelp("Only those of this device.", valueName: "serial"))
    var device: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Go on and tell what changes.")
    var watch = false

    func run() throws {
        try reportingStatus { () throws(GuestError) in
            if watch { try follow() } else { try show() }
        }
    }

    private func show() throws(GuestError) {
        let (services, troubles) = try Services(device: device).list()
        for trouble in troubles { StandardError.write("2virt-guest: \(trouble)\n") }
        let listing = ServiceListing(services)
        if json {
            StandardOutput.write(listing.json + "\n")
        } else if services.isEmpty {
            StandardError.write("this guest was given no services\n")
        } else {
            StandardOutput.write(listing.text + "\n")
        }
    }

    private func follow() throws(GuestError) {
        // Before any thread starts: only this one must see the signals.
        let signals = TerminationSignals()
        let watch = try ServiceWatch(Services(device: device))
        DispatchQueue.global().async {
            signals.wait()
            watch.stop()
        }
        try watch.run { change, service in
            let sign =
                switch change {
                case .added: "+"
                case .removed: "-"
                case .changed: "~"
                }
            StandardOutput.write((json ? service.line(change: change.rawValue) : "\(sign) \(service.text)") + "\n")
        } trouble: {
            StandardError.write("2virt-guest: \($0)\n")
        }
    }
}
