import ArgumentParser
import GuestClientKit

/// `2virt-guest release DEVICE[/INTERFACE]`
struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Give a device, or one interface of it, back to the host.")

    @Argument(help: "DEVICE or DEVICE/INTERFACE: a serial or BUS-DEVICE; an interface's name or number.")
    var target: String

    func run() throws {
        let outcome = try reportingStatus { () throws(GuestError) in try ReleaseRequest().perform(target) }
        StandardOutput.write(outcome + "\n")
    }
}
