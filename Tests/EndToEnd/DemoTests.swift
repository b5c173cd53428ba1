import Foundation
import GuestLab
import Testing

extension EndToEnd {
    /// README's first command, after the build: it makes its own guest, web service, engine and device.
    @Suite("Demo", .serialized) struct DemoTests {
        @Test func itIsWorkedByKeysAndLeavesNothing() async throws {
            try await LabEnvironment.use(vms: "", devices: "") { lab in
                let demo = try lab.terminal(
                    columns: 120, rows: 36, arguments: "demo",
                    environment: [
                        // What it makes is looked for there afterwards; the kernel is the one of the other tests.
                        "TMPDIR": lab.directory, "XDG_CACHE_HOME": try Self.cacheHome,
                    ])
                try await demo.wait(for: "LIVE", seconds: 240)
                // The engine may still be looking around: what is not there yet cannot be plugged, and `p` says so.
                try await demo.row(with: "1 VM:", "1 device ")
                try await demo.wait(for: "● demo-vm")
                #expect(lab.processes.count >= 3, "the console, its engine and a virtual machine")

                try await demo.plug("demo", into: "demo-vm")
                try await demo.row(with: "demo plugged into demo-vm")
                try await demo.select(vm: "demo-vm", "› if0 web")
                // Its guest fetches a page a second.
                try await demo.row(with: "bulk", "ok")
                try await demo.select(vm: "demo-vm", "› if1 tty")
                try demo.press("Space")
                try await demo.wait(for: "demo/tty switched off")
                try await demo.select(vm: "demo-vm", "› demo  plugged")
                try demo.press("u")
                try await demo.wait(for: "u again")
                try demo.press("u")
                try await demo.row(with: "demo unplugged from demo-vm")
                // The event may be there before the picture that it is about, and `q` asks while something is plugged.
                try await demo.row(with: "1 VM:", "0 plugged")
                try demo.press("q")
                let last = try await demo.wait(for: "rc=", seconds: 60)
                #expect(last.contains("rc=0") && last.contains("nothing of it is left running"))
                #expect(lab.processes.isEmpty)
                let left = try FileManager.default.contentsOfDirectory(atPath: lab.directory)
                #expect(!left.contains { $0.hasPrefix("2virt-") }, "\(left)")
            }
        }

        private static var cacheHome: String {
            get throws {
                let environment = ProcessInfo.processInfo.environment
                return try environment["XDG_CACHE_HOME"] ?? #require(environment["HOME"]) + "/.cache"
            }
        }
    }
}
