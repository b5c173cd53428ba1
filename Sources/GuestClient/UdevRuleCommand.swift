import ArgumentParser
import GuestClientKit

/// `2virt-guest udev-rule`
struct UdevRuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "udev-rule", abstract: "Print the udev rule that lets users other than root use 2Virt devices.")

    func run() {
        StandardOutput.write(UdevRule.text)
    }
}
