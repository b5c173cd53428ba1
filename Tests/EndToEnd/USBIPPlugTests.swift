import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// `2virt plug DEVICE VM --via usbip`: a real engine has a real guest attach its devices.
    @Suite("USB/IP plug", .serialized) struct USBIPPlugTests {
        @Test func aGuestThatWatchesIsPluggedIntoAndUsesTheDevice() async throws {
            try await PlugWorld.use { world in
                let lab = world.lab
                try await world.watch()
                for round in 1...2 {
                    let before = Date().timeIntervalSince1970
                    try await world.appears {
                        let text = try await lab.check("plug", "desk", "net", "--via", "usbip")
                        #expect(text == "desk plugged into net over USB/IP, by its watcher\n")
                    }
                    let held = try await lab.device("desk")
                    #expect(held.state == .plugged && held.guest == .configured)
                    let importer = try #require(held.export?.importer)
                    #expect(importer.guest == "net" && importer.peer.hasPrefix("127.0.0.1:"))
                    #expect((before...Date().timeIntervalSince1970).contains(importer.since))
                    try await world.useDesk("round\(round)")

                    // Who has it, since when and from where, with the round-trip time once it is measured.
                    var devices = ""
                    try await eventually("a round-trip time") {
                        devices = try await lab.check("devices")
                        return devices.contains(#/127\.0\.0\.1:[0-9]+ since [-0-9]+ [:0-9]+, [0-9.]+ ms/#)
                    }
                    let row = try #require(devices.split(separator: "\n").first { $0.hasPrefix("desk ") })
                    #expect(row.contains("plugged") && row.contains(" net ") && row.contains(" usbip "))
                    #expect(devices.contains(#/127\.0\.0\.1:[0-9]+ +127\.0\.0\.0\/8, ::1\/128 +no/#), "\(devices)")
                    #expect(devices.contains(#/\nnet +127\.0\.0\.1:[0-9]+ /#), "the watcher: \(devices)")

                    // The host's unplug is not taken for a loss.
                    try await world.disappears { try await lab.check("unplug", "desk") }
                    #expect(try await lab.device("desk").export?.importer == nil)
                }
                try await world.staysAway()
                #expect(try await world.watchLines().contains("2virt-guest: desk (1-1) unplugged by the host"))
            }
        }

        @Test func aWatchAttachesAgainAfterTheEngineWasKilled() async throws {
            try await PlugWorld.use { world in
                try await world.watch()
                try await world.appears { try await world.lab.check("plug", "desk", "net", "--via", "usbip") }
                try await world.disappears { try await world.lab.killEngine() }
                // Nobody is there to come back to: the pauses grow.
                try await eventually("growing pauses") {
                    try await world.watchLines().contains("2virt-guest: trying again in 4 s")
                }
                #expect(
                    try await world.watchLines().filter { $0.hasPrefix("2virt-guest: trying again") }.prefix(3) == [
                        "2virt-guest: trying again in 1 s", "2virt-guest: trying again in 2 s",
                        "2virt-guest: trying again in 4 s",
                    ])
                try await world.appears { try await world.lab.startEngine() }
                try await world.reaches(.plugged)
                try await world.useDesk("again")

                // What the guest itself gives back is its will, whoever asks.
                try await world.disappears { try await world.guest.check("2virt-guest detach 1-1") }
                try await world.reaches(.unplugged)
                #expect(try await world.lab.device("desk").by == "guest")
                try await world.staysAway()
            }
        }

        @Test func aWatchThatIsToldNotToStaysAway() async throws {
            try await PlugWorld.use { world in
                try await world.watch("--no-reattach")
                try await world.appears { try await world.lab.check("plug", "desk", "net", "--via", "usbip") }
                try await world.disappears { try await world.lab.killEngine() }
                try await world.lab.startEngine()
                try await eventually("the watch's return") {
                    try await world.lab.snapshot().vm("net")?.attachWay == .watch
                }
                try await eventually("its refusal") {
                    try await world.lab.device("desk").reason?.contains("does not attach again by itself") ?? false
                }
                try await world.staysAway()
                // The operator's word counts for more.
                try await world.appears { try await world.lab.check("plug", "desk", "net", "--via", "usbip") }
                try await world.disappears { try await world.lab.check("unplug", "desk") }
                try await world.stopWatching()

                try await world.watch("--only lamp")
                let refused = try await world.lab.run(
                    ["plug", "desk", "net", "--via", "usbip", "--config", world.lab.configuration])
                #expect(refused.status != 0)
                #expect(
                    refused.errors.contains(
                        "net could not attach desk: the guest's watch takes only other devices (--only)"))
                #expect(try await world.lab.device("desk").state == .unplugged)
                try await world.staysAway()
            }
        }

        @Test func theGuestAgentAttaches() async throws {
            try await PlugWorld.use { world in
                let lab = world.lab
                try await eventually("an agent") { try await lab.snapshot().vm("net")?.attachWay == .agent }
                try await world.appears {
                    let text = try await lab.check("plug", "desk", "net", "--via", "usbip")
                    #expect(text == "desk plugged into net over USB/IP, by its agent\n")
                }
                #expect(try await lab.device("desk").export?.importer?.guest == "net")
                try await world.useDesk("agent")
                try await world.disappears { try await lab.check("unplug", "desk") }

                // The next engine asks the agent again.
                try await world.appears { try await lab.check("plug", "desk", "net", "--via", "usbip") }
                try await world.disappears { try await lab.killEngine() }
                try await world.appears { try await lab.startEngine() }
                try await world.reaches(.plugged)
                try await world.disappears { try await world.guest.check("2virt-guest detach 1-1") }
                try await world.reaches(.unplugged)
                #expect(try await lab.device("desk").by == "guest")

                // A guest without our program has the usual tool.
                try await world.guest.check("mv /usr/bin/2virt-guest /usr/bin/away")
                try await world.appears { try await lab.check("plug", "desk", "net", "--via", "usbip") }
                let mark = world.guest.kernelLogMark
                try await world.guest.check("usbip detach -p 0; mv /usr/bin/away /usr/bin/2virt-guest")
                try await world.guest.waitForDisconnect(since: mark)
                try await world.reaches(.unplugged)
                #expect(try await lab.device("desk").by == "guest")
            }
        }

        @Test func aGuestWithNeitherIsAttachedByTheLineThatIsShown() async throws {
            let bare = try await LabGuests.here.guest(.xhci)
            try await PlugWorld.use { world in
                let lab = world.lab
                let output = try await lab.run(
                    ["plug", "desk", bare.name, "--via", "usbip", "--config", lab.configuration])
                #expect(output.status != 0)
                let line = try #require(output.errors.firstMatch(of: #/Type in the guest: (.+)/#)?.1)
                #expect(line == "2virt-guest attach 10.0.2.2:\(world.port) 1-1")

                // The console shows the same line where the VM is chosen.
                let console = try lab.console()
                try await console.row(with: "● \(bare.name)")
                try console.press("p")
                try await console.wait(for: "Plug which device?")
                try console.press("Enter")
                try await console.wait(for: "Plug desk into which VM?")
                try console.press("Tab")
                try await console.row(with: bare.name, "type in the guest: \(line)")
                try console.press("Escape", "Escape")

                // Typed in a guest with a network card, it does what it says.
                try await world.appears { try await world.guest.check(String(line)) }
                try await world.reaches(.imported)
                try await console.row(with: "desk", "by 127.0.0.1:")
                try await world.useDesk("typed")
                try await world.disappears { try await lab.check("unplug", "desk") }
                try await world.reaches(.unplugged)
            }
        }
    }
}
