import Foundation
import GuestLab
import NIOCore
import NIOPosix
import Testing

extension EndToEnd.GuestTests {
    /// VMs that are none do no harm to those that are.
    @Suite("Bad VMs", .serialized) struct BadVMTests {
        @Test func socketsThatTalkNonsenseOrHangAreShownAndOthersWork() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: LabDevices.serial("lamp")) { lab in
                try lab.add("[[vms]]\nsource = \"qmp-directory\"\npath = \"@/bad\"")
                let bad = lab.directory + "/bad"
                try FileManager.default.createDirectory(atPath: bad, withIntermediateDirectories: true)
                let babbler = try await Self.listen(bad + "/babbler.qmp") { channel in
                    channel.writeAndFlush(ByteBuffer(repeating: 0x7B, count: 4096), promise: nil)
                }
                let mute = try await Self.listen(bad + "/mute.qmp") { _ in }
                try "not a socket".write(toFile: bad + "/file.qmp", atomically: true, encoding: .utf8)

                try await lab.startEngine()
                let console = try lab.console()
                try await console.row(with: "! babbler")
                try await console.row(with: "! mute")
                try await console.row(with: "● xhci")
                let vms = try await lab.check("vms")
                for name in ["babbler", "mute"] {
                    #expect(vms.split(separator: "\n").contains { $0.hasPrefix(name) && $0.contains("unreachable") })
                }
                let mark = guest.kernelLogMark
                try await console.plug("lamp", into: "xhci")
                try await guest.waitForKernelLog(containing: "SerialNumber: lamp", since: mark)
                try await console.row(with: "● lamp")
                let refused = try await lab.run("plug", "lamp", "mute", "--config", lab.configuration)
                #expect(refused.status == 1)
                try await babbler.close()
                try await mute.close()
            }
        }

        private static func listen(
            _ path: String, greet: @escaping @Sendable (any Channel) -> Void
        ) async throws -> any Channel {
            try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { greet(channel) }
                }
                .bind(unixDomainSocketPath: path).get()
        }
    }
}

extension EndToEnd {
    /// Every kind of mistake in a configuration, told with its place; no guest is needed.
    @Suite("Bad configurations") struct BadConfigurationTests {
        struct Mistake: Sendable, CustomTestStringConvertible {
            var text: String
            var line: Int?
            /// What the message must name: the key, what was found, what is allowed.
            var says: [String]

            var testDescription: String { text.replacingOccurrences(of: "\n", with: " ⏎ ") }
        }

        static let mistakes: [Mistake] = [
            Mistake(text: "[engine\n", line: 1, says: ["not TOML"]),
            Mistake(text: "[engine]\nsocket = 7", line: 2, says: ["engine.socket", "number 7", "UNIX socket"]),
            Mistake(text: "[engine]\n\nsokcet = \"/x\"", line: 3, says: ["sokcet", "not a key", "socket"]),
            Mistake(text: "[[vm]]\nsource = \"qmp\"", line: 1, says: ["vm", "not a key", "vms"]),
            Mistake(text: "[[vms]]\npath = \"/x\"", line: 1, says: ["vms[0].source", "missing", "qmp-directory"]),
            Mistake(text: "[[vms]]\nsource = \"xen\"", line: 2, says: ["vms[0].source", "\"xen\"", "libvirt"]),
            Mistake(text: "[[vms]]\nsource = \"qmp\"", line: 1, says: ["vms[0].path", "missing", "QMP socket"]),
            Mistake(text: "[usbip]\nlisten = \"x\"", line: 2, says: ["usbip.listen", "\"x\"", "list"]),
            Mistake(text: "[[device]]\nname = \"a b\"\ninterfaces = []", line: 2, says: ["device[0].name", "\"a b\""]),
            Mistake(text: "[[device]]\nname = \"a\"", line: 1, says: ["device[0]", "neither", "one of the two"]),
            Mistake(
                text: "[[device]]\nname = \"a\"\nspeed = \"warp\"\ninterfaces = [{ kind = \"serial\", to = \"pty\" }]",
                line: 3, says: ["device[0].speed", "\"warp\"", "\"high\""]),
            Mistake(
                text: "[[device]]\nname = \"a\"\nidVendor = 65536\ninterfaces = [{ kind = \"serial\", to = \"pty\" }]",
                line: 3, says: ["device[0].idVendor", "65536", "0xFFFF"]),
            Mistake(
                text: "[[device]]\nname = \"a\"\ninterfaces = [\n  { kind = \"serail\", to = \"pty\" },\n]", line: 4,
                says: ["device[0].interfaces[0].kind", "\"serail\"", "\"serial\"", "\"web-service\""]),
            Mistake(
                text: "[[device]]\nname = \"a\"\ninterfaces = [\n  { kind = \"serial\", to = \"fax:1\" },\n]", line: 4,
                says: ["device[0].interfaces[0].to", "fax:1", "unix:/path"]),
            Mistake(
                text: "[[device]]\nname = \"a\"\ninterfaces = [\n  { kind = \"serial\" },\n]", line: 4,
                says: ["device[0].interfaces[0].to", "missing", "pty"]),
            Mistake(
                text: "[[device]]\nname = \"a\"\ninterfaces = [\n  { kind = \"web-service\", upstreams = [80] },\n]",
                line: 4, says: ["device[0].interfaces[0].upstreams", "80", "host:port"]),
            Mistake(
                text: """
                    [[device]]
                    name = "a"
                    interfaces = [{ kind = "serial", to = "pty" }]
                    [[device]]
                    name = "a"
                    interfaces = [{ kind = "serial", to = "pty" }]
                    """, line: 5, says: ["device[1].name", "\"a\"", "earlier device"]),
        ]

        @Test(arguments: mistakes) func areRefusedWithTheirPlace(_ mistake: Mistake) async throws {
            try await LabEnvironment.use(vms: "", devices: "", guests: nil) { lab in
                let file = lab.directory + "/bad.toml"
                try mistake.text.write(toFile: file, atomically: true, encoding: .utf8)
                for verb in [["check", file], ["engine", "--config", file]] {
                    let output = try await lab.run(verb)
                    let told = Comment(rawValue: "\(verb[0]): \(output.errors)")
                    #expect(output.status == 1, told)
                    let place = mistake.line.map { "\(file):\($0):" } ?? file
                    #expect(output.errors.contains(place), told)
                    for word in mistake.says { #expect(output.errors.contains(word), told) }
                }
            }
        }

        @Test func aFileThatIsNotThereIsNamed() async throws {
            try await LabEnvironment.use(vms: "", devices: "", guests: nil) { lab in
                for verb in [["check", "/nowhere.toml"], ["engine", "--config", "/nowhere.toml"]] {
                    let output = try await lab.run(verb)
                    #expect(output.status == 1)
                    #expect(output.errors.contains("/nowhere.toml"))
                    #expect(output.errors.contains("No such file"))
                }
            }
        }

        @Test func severalMistakesAreAllTold() async throws {
            try await LabEnvironment.use(vms: "", devices: "", guests: nil) { lab in
                let file = lab.directory + "/bad.toml"
                try "[[vms]]\nsource = \"xen\"\n[[device]]\nname = 5\n".write(
                    toFile: file, atomically: true, encoding: .utf8)
                let output = try await lab.run("check", file)
                #expect(output.errors.contains(":2: vms[0].source") && output.errors.contains(":4: device[0].name"))
            }
        }
    }

    /// Terminals that can hardly show anything, with a real engine.
    @Suite("Poor terminals", .serialized) struct PoorTerminalTests {
        private func withConsole(
            columns: Int, rows: Int, environment: [String: String] = [:],
            _ body: (LabEnvironment, ConsoleDriver) async throws -> Void
        ) async throws {
            try await LabEnvironment.use(vms: "", devices: LabDevices.serial("lamp"), guests: nil) { lab in
                try await lab.startEngine()
                try await body(lab, lab.console(columns: columns, rows: rows, environment: environment))
            }
        }

        @Test func twentyByFiveStillShowsTheDevice() async throws {
            try await withConsole(columns: 20, rows: 5) { _, console in
                try await console.row(with: "lamp", "unplugged")
                let screen = try console.screen
                #expect(!screen.contains("┌"))
                try console.press("p")
                try await console.wait(for: "Plug which device?")
                try console.press("Escape")
                try await console.waitWithout("Plug which")
                try console.press("q")
                try await console.wait(for: "rc=0")
            }
        }

        @Test func aDumbTerminalIsRefusedWithWhatToDo() async throws {
            try await withConsole(columns: 80, rows: 24, environment: ["TERM": "dumb"]) { lab, console in
                try await console.wait(for: "rc=1")
                #expect(try console.screen.contains("2virt vms"))
                // Everything the console does is there without it.
                #expect(try await lab.check("devices").contains("lamp"))
            }
        }

        @Test func theCLocaleIsDrawnInASCII() async throws {
            try await withConsole(columns: 80, rows: 24, environment: ["LANG": "C", "LC_ALL": "C"]) { _, console in
                try await console.row(with: "lamp", "unplugged")
                #expect(try console.screen.unicodeScalars.allSatisfy(\.isASCII))
                try console.press("?")
                try await console.wait(for: "unplug")
                #expect(try console.screen.unicodeScalars.allSatisfy(\.isASCII))
            }
        }
    }
}
