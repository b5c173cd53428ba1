import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// What each way of switching an interface off and on costs its siblings: hidden, muted, or a device of its own.
    ///
    /// The sibling is a serial port; how long it was away is by the guest's own clock, from the kernel's "USB disconnect"
    /// to its "USB ACM device".
    @Suite("Toggle table", .serialized) struct ToggleTests {
        private typealias Interface = (name: String, text: String)

        /// Devices whose interfaces have a serial port as a sibling; one would need too many endpoints. `@` is a path of
        /// the test's own, which the names after it are made of.
        private static let desks: [(name: String, interfaces: [Interface])] = [
            (
                "desk",
                [
                    ("tty", #"kind = "serial", to = "unix:@tty.sock""#),
                    ("web", #"kind = "web-service", upstreams = ["127.0.0.1:9"]"#),
                    ("kbd", #"kind = "keyboard""#),
                    ("lp", #"kind = "printer", to = "spool:@spool""#),
                    ("disk", #"kind = "storage", image = "@disk.img", mode = "direct""#),
                    ("pipe", #"kind = "usb-char", to = "unix:@pipe.sock""#),
                    ("lan", #"kind = "point-to-multipoint", network = "office""#),
                ]
            ),
            (
                "shelf",
                [
                    ("mic", #"kind = "microphone", tone = 1000"#),
                    ("virt", #"kind = "libvirt", to = "unix:@virt-sock-ro""#),
                    ("udi", #"kind = "service-directory", services = []"#),
                    ("cable", #"kind = "point-to-point", network = "pair""#),
                    ("ipp", #"kind = "ipp-printer", to = "ipp://127.0.0.1:9/ipp/print""#),
                ]
            ),
        ]

        /// The desks, and one device for each of their interfaces alone.
        private static var devices: String {
            desks.map { name, interfaces in
                let together = interfaces.map { "  { name = \"\($0.name)\", \($0.text) },\n" }.joined()
                let alone = interfaces.map { name, text in
                    "[[device]]\nname = \"solo-\(name)\"\ninterfaces = [{ name = \"solo-\(name)\", \(text) }]\n"
                }
                return """
                    [[device]]
                    name = "\(name)"
                    interfaces = [
                      { kind = "serial", name = "watch", to = "unix:@/watch-\(name).sock" },
                    \(together.replacingOccurrences(of: "@", with: "@/desk-"))]

                    \(alone.joined().replacingOccurrences(of: "@", with: "@/solo-"))

                    """
            }.joined()
        }

        @Test func whatEachWayCosts() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: Self.devices) { lab in
                for prefix in ["desk-", "solo-"] {
                    _ = try DiskImage(lab.directory + "/\(prefix)disk.img", mebibytes: 4)
                    try FileManager.default.createDirectory(
                        atPath: lab.directory + "/\(prefix)spool", withIntermediateDirectories: true)
                }
                try await lab.startEngine()
                for (desk, interfaces) in Self.desks {
                    let peer = try await EchoPeer.connect(to: lab.directory + "/watch-\(desk).sock")
                    let mark = guest.kernelLogMark
                    try await lab.check("plug", desk, "xhci")
                    try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                    for (name, _) in interfaces { try await measure(name, of: desk, lab, guest) }
                    try await peer.close()
                    try await lab.check("unplug", desk)
                }
            }
        }

        private func measure(_ name: String, of desk: String, _ lab: LabEnvironment, _ guest: Guest) async throws {
            let hidden = try await blink(guest) { try await lab.check("disable", desk, name) }
            #expect(try await !has(guest, name), "\(name) is hidden")
            #expect(try await has(guest, "watch"))
            let shown = try await blink(guest) { try await lab.check("enable", desk, name) }
            // Those behind the sibling are there a moment later.
            try await eventually("\(name) in the guest again") { try await has(guest, name) }
            try await mute(name, of: desk, lab, guest)
            try await split("solo-\(name)", from: desk, lab, guest)
            print(
                "Toggle table: \(name): hidden: gone, siblings away \(hidden) ms; on again: \(shown) ms; "
                    + "muted and on: still there, siblings 0 ms; device of its own: siblings 0 ms")
        }

        /// Milliseconds that the sibling was away.
        private func blink(_ guest: Guest, _ toggle: () async throws -> String) async throws -> Int {
            let mark = guest.kernelLogMark
            let answer = try await toggle()
            #expect(answer.contains("siblings were away"))
            let back = try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
            guard let gone = guest.kernelLog(since: mark).first(where: { $0.contains("USB disconnect") }),
                let start = seconds(gone), let end = seconds(back)
            else { throw LabEnvironment.Failure(description: "no times in \(guest.kernelLog(since: mark))") }
            let milliseconds = Int((end - start) * 1000)
            #expect(milliseconds > 0 && milliseconds < 10_000)
            return milliseconds
        }

        /// The stamp of a kernel's line, `[   12.345678] …`.
        private func seconds(_ line: String) -> Double? {
            line.firstMatch(of: /\[ *([0-9]+\.[0-9]+)\]/).flatMap { Double($0.1) }
        }

        /// Whether the guest has a USB interface of this name.
        private func has(_ guest: Guest, _ name: String) async throws -> Bool {
            try await guest.run("grep -qx \(name) /sys/bus/usb/devices/*/interface").exitCode == 0
        }

        /// The sibling's bytes go on while the interface is muted and on again, and the guest's kernel sees nothing.
        private func mute(_ name: String, of desk: String, _ lab: LabEnvironment, _ guest: Guest) async throws {
            let mark = guest.kernelLogMark
            async let echo: Void = guest.echo(bytes: 30_000)
            for (verb, gate) in [("mute", GateState.muted), ("enable", .on)] {
                try await lab.check(verb, desk, name)
                #expect(try await lab.device(desk).interface(name)?.gate == gate)
                #expect(try await has(guest, name))
            }
            try await echo
            #expect(guest.usbLog(since: mark).isEmpty, "\(name): \(guest.usbLog(since: mark))")
        }

        /// The sibling's bytes go on while another device comes and goes.
        private func split(_ device: String, from desk: String, _ lab: LabEnvironment, _ guest: Guest) async throws {
            let place = try await guest.check("basename $(dirname $(grep -lx \(desk) /sys/bus/usb/devices/*/serial))")
            let mark = guest.kernelLogMark
            async let echo: Void = guest.echo(bytes: 30_000)
            try await lab.check("plug", device, "xhci")
            try await eventually("\(device) in the guest") { try await has(guest, device) }
            try await lab.check("unplug", device)
            try await echo
            let lines = guest.usbLog(since: mark).filter { $0.contains("usb \(place):") }
            #expect(lines.isEmpty, "\(device): \(lines)")
        }
    }
}
