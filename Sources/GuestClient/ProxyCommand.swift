import ArgumentParser
import GuestClientKit

/// `2virt-guest proxy [--listen HOST:PORT | --unix PATH] [--device SERIAL] [SERVICE]`
struct ProxyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Offer a device's service as a local server.",
        discussion: """
            Unmodified HTTP programs reach the service through the device, without any network card. When the device \
            is unplugged, the proxy waits for its return. A byte service (libvirt, a database) is offered as a plain \
            port or socket, each connection of which leads to it.
            """)

    @Option(help: ArgumentHelp("Listen on a TCP address (default 127.0.0.1:8080).", valueName: "host:port"))
    var listen: String?

    @Option(help: ArgumentHelp("Listen on a UNIX socket instead.", valueName: "path"))
    var unix: String?

    @Option(help: ArgumentHelp("The device, when several are plugged in.", valueName: "serial"))
    var device: String?

    @Option(help: ArgumentHelp("How long a request waits for a device that is away.", valueName: "seconds"))
    var patience: Double = 10

    @Flag(help: "Start without a device, and wait for one.")
    var wait = false

    @Flag(help: "Take the interface from a kernel driver that claimed it.")
    var detachDriver = false

    @Flag(help: "The service named is a byte service, not an HTTP one.")
    var stream = false

    @Argument(help: "The service to address; the interface's name by default.")
    var service: String?

    private var address: ProxyAddress? {
        if let unix { return .unix(path: unix) }
        return ProxyAddress(tcp: listen ?? "127.0.0.1:8080")
    }

    func validate() throws {
        if listen != nil && unix != nil { throw ValidationError("--listen and --unix exclude each other") }
        if address == nil {
            throw ValidationError("--listen takes HOST:PORT with a numeric address, e.g. 127.0.0.1:8080")
        }
        guard patience >= 0, patience <= 86400 else {
            throw ValidationError("--patience takes 0 to 86400 seconds")
        }
        if let service, !ServiceName.isValid(service) {
            throw ValidationError("a service name is 1 to 255 letters, digits, '-', '.' or '_'")
        }
    }

    func run() throws {
        guard let address else { throw ValidationError("no address to listen on") }
        try reportingStatus { () throws(GuestError) in try serve(on: address) }
    }

    private func serve(on address: ProxyAddress) throws(GuestError) {
        // Before any thread starts, so that every thread inherits the mask and only this one sees the signals.
        let signals = TerminationSignals()
        let (transport, session) = try openTransport()
        let server = try ProxyServer(
            transport: transport,
            options: .init(listen: address, service: service, patience: patience, isByteService: stream),
            report: { StandardError.write("2virt-guest: \($0)\n") })
        let bound = try server.start(first: session)
        StandardOutput.write("listening on \(bound) for \(session?.title ?? "a device that is yet to come")\n")
        signals.wait()
        try server.stop()
    }

    private func openTransport() throws(GuestError) -> (USBPipeTransport, (any PipeSession)?) {
        let transport = try USBPipeTransport(
            selector: device.map(DeviceSelector.init), service: service, detachDriver: detachDriver)
        do {
            let pinned = try transport.pinned()
            return (pinned, try pinned.open())
        } catch {
            if wait, case .noSuchDevice = error { return (transport, nil) }
            throw error
        }
    }
}
