import ArgumentParser
import GuestClientKit

/// `2virt-guest list [--remote HOST[:PORT] [--tls …]] [--json]`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the 2Virt devices of this guest and their interfaces, or what a host offers.")

    @Flag(help: "Print a JSON array.")
    var json = false

    @Option(help: ArgumentHelp("Show what a USB/IP host offers instead.", valueName: "host[:port]"))
    var remote: ExporterAddress?

    @OptionGroup var tls: TLSOptions

    func run() throws {
        if let remote { return try show(remote) }
        let devices = try reportingStatus { () throws(GuestError) in try USBTree().devices().filter(\.is2Virt) }
        let listing = DeviceListing(devices)
        if json {
            StandardOutput.write(listing.json + "\n")
        } else if devices.isEmpty {
            StandardError.write("no 2Virt device is plugged into this guest\n")
        } else {
            StandardOutput.write(listing.text + "\n")
        }
    }

    private func show(_ remote: ExporterAddress) throws {
        let devices = try reportingStatus { () throws(GuestError) in
            try Attacher(address: remote, tls: tls.files).devices()
        }
        let listing = RemoteListing(devices)
        if json {
            StandardOutput.write(listing.json + "\n")
        } else if listing.isEmpty {
            StandardError.write("\(remote) offers no device to this guest\n")
        } else {
            StandardOutput.write(listing.text + "\n")
        }
    }
}
