import ArgumentParser
import GuestClientKit

/// `2virt-guest detach PORT|BUSID`
struct DetachCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Give back a device that 'attach', 'watch' or the usbip tool attached.",
        discussion: "A watch does not attach it again until the host's operator plugs it again.")

    @Argument(help: "The port's number, the bus id at the host, or the device's name in this guest ('ports').")
    var target: String

    func run() throws {
        let text = try reportingStatus { () throws(GuestError) in
            let vhci = VHCI()
            let port = try vhci.port(named: target)
            let busID = vhci.record(of: port.number)?.busID
            try vhci.detach(port.number)
            return "detached \(busID.map { "\($0) from " } ?? "")port \(port.number)"
        }
        StandardOutput.write(text + "\n")
    }
}
