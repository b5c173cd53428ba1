import ArgumentParser
import GuestClientKit

/// `2virt-guest attach HOST[:PORT] BUSID [--tls …]`
struct AttachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Bring a device of a USB/IP host into this guest.",
        discussion: "Needs root and the driver vhci-hcd; the usbip tool is not needed.")

    @Argument(help: "HOST or HOST:PORT; the port is 3240 unless given.")
    var host: ExporterAddress

    @Argument(help: "The device, by its bus id at the host ('list --remote HOST'), or by its name.")
    var busid: String

    @OptionGroup var tls: TLSOptions

    @Flag(help: "Return when the kernel has the connection, without waiting until it has found the device.")
    var noWait = false

    /// This is the process in the background that serves a TLS connection.
    @Flag(help: .private)
    var report = false

    func run() throws {
        let attacher = Attacher(address: host, tls: tls.files)
        if report { return BackgroundAttach.run(attacher, busid) }
        try reportingStatus { () throws(GuestError) in
            let attachment = try attacher.attach(busid)
            if noWait {
                StandardOutput.write("attached \(attachment.busID) to port \(attachment.port)\n")
                return
            }
            guard let found = try attacher.waitForDevice(attachment), let name = found.localName else {
                throw .failed(
                    "\(attachment.busID) hangs on port \(attachment.port), but this guest has not found a device there")
            }
            StandardOutput.write("attached \(attachment.busID) to port \(attachment.port) as \(name)\n")
        }
    }
}
