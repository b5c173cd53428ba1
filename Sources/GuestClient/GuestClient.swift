import ArgumentParser
import CUSBFS
import Glibc

/// The `2virt-guest` command: 2Virt devices as a program inside a virtual machine uses them.
@main
struct GuestClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "2virt-guest",
        abstract: "Use the 2Virt devices that are plugged into this virtual machine.",
        discussion: """
            Exit status: 0 done, 1 failed (the reason is on standard error), 2 usage, 3 no such device, \
            4 claimed by somebody else, 5 no permission, 6 refused by the host or no host there, 7 not supported by this \
            guest's kernel, 8 no such service, 9 the service has no such operation or arguments, 10 the service failed, \
            11 the service does not answer.
            """,
        version: "0.1.0",
        subcommands: [
            ListCommand.self, ServicesCommand.self, DescribeCommand.self, CallCommand.self, ProxyCommand.self,
            ReleaseCommand.self, AttachCommand.self, DetachCommand.self,
            PortsCommand.self, WatchCommand.self, UdevRuleCommand.self,
        ])

    /// Not `CommandLine.arguments`, which is empty where /proc is not mounted.
    private static var arguments: [String] {
        (1..<max(1, cusbfs_argument_count())).compactMap { cusbfs_argument($0).map { String(cString: $0) } }
    }

    static func main() {
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let error as CommandFailure {
            StandardError.write("2virt-guest: \(error.description)\n")
            Glibc.exit(error.status)
        } catch {
            // The parser's own code for a usage error is EX_USAGE; ours is 2.
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            StandardError.write(fullMessage(for: error) + "\n")
            Glibc.exit(2)
        }
    }
}
