import ArgumentParser
import GuestClientKit

/// `2virt-guest ports [--json]`
struct PortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports", abstract: "Show what is attached to this guest over the network.")

    @Flag(help: "Print a JSON array.")
    var json = false

    func run() throws {
        let listing = try reportingStatus { () throws(GuestError) in try PortListing(VHCI()) }
        if json {
            StandardOutput.write(listing.json + "\n")
        } else if listing.isEmpty {
            StandardError.write("nothing is attached over the network\n")
        } else {
            StandardOutput.write(listing.text + "\n")
        }
    }
}
