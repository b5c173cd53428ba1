import ArgumentParser
import GuestClientKit

/// `2virt-guest list [--json]`
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the 2Virt devices of this guest and their interfaces.")

    @Flag(help: "Print a JSON array.")
    var json = false

    func run() throws {
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
}
