import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Consoles, engines and VMs that end without a word.
    @Suite("Survival", .serialized) struct SurvivalTests {
        @Test func aKilledConsoleIsNothingToTheGuest() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: LabDevices.serial("lamp")) { lab in
                // The console's own engine: it must not go with the console.
                let first = try lab.console()
                try await first.row(with: "● xhci")
                try await first.plug("lamp", into: "xhci")
                try await first.row(with: "lamp plugged into xhci")
                try await guest.check(
                    "test -c /dev/ttyACM0 && stty -F /dev/ttyACM0 raw -echo && echo 12345678 >/dev/ttyACM0")
                let engine = try await lab.enginePID()
                var before = try await lab.device("lamp").counters
                try await eventually("quiet on the wire") {
                    let now = try await lab.device("lamp").counters
                    defer { before = now }
                    return now == before && now.bytesOut > 0
                }

                let mark = guest.kernelLogMark
                try first.kill()
                try await first.wait(for: "rc=137")

                let second = try lab.console()
                try await second.select(vm: "xhci", "xhci › lamp  plugged since")
                try await second.row(with: "● lamp", "02a0:a123")
                #expect(try await lab.enginePID() == engine)
                #expect(try await lab.device("lamp").counters == before)
                try await second.row(with: "in \(before.bytesIn) out \(before.bytesOut) ")
                #expect(guest.usbLog(since: mark).isEmpty)
                try await guest.check("test -c /dev/ttyACM0")
            }
        }

        @Test func aKilledEngineIsAnUnplugAndTheNextOnePlugsAgain() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: "") { lab in
                try lab.add(LabDevices.desk(upstream: try await WebServer.start(in: lab).port))
                try await lab.startEngine()
                let console = try lab.console()
                try await console.row(with: "● xhci")
                try await lab.check("plug", "desk", "xhci")
                try await lab.check("disable", "desk", "tty")
                let first = try await lab.enginePID()

                var mark = guest.kernelLogMark
                try await lab.killEngine()
                try await guest.waitForDisconnect(since: mark)
                try await console.waitWithout("LIVE")

                mark = guest.kernelLogMark
                try await lab.startEngine()
                try await guest.waitForKernelLog(containing: "SerialNumber: desk", since: mark)
                try await console.wait(for: "LIVE")
                try await console.row(with: "xhci/desk", "was plugged into xhci", "plugged again")
                try await console.select(vm: "xhci", "xhci › desk  plugged")
                #expect(try await lab.enginePID() != first)
                let device = try await lab.device("desk")
                #expect(device.state == .plugged && device.guest == .configured)
                #expect(device.interface("tty")?.gate == .off, "what was off stays off")
                try await guest.check("! test -e /dev/ttyACM0")
                // And it still obeys.
                mark = guest.kernelLogMark
                try await lab.check("unplug", "desk")
                try await guest.waitForDisconnect(since: mark)
            }
        }

        @Test func aVMThatPausesDiesAndReturnsKeepsItsDevices() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.uhci)
            try await LabEnvironment.use(
                vms: guests.source, devices: LabDevices.serial("lamp") + "\n" + LabDevices.serial("bell")
            ) { lab in
                try await lab.startEngine()
                let console = try lab.console()
                try await console.select(vm: "uhci")
                try await lab.check("plug", "lamp", "uhci")

                try await guest.monitor.execute("stop")
                try await console.row(with: "‖ uhci", seconds: Self.shownWithin)
                // Plugged into a VM that stands still: its guest finds the device when it goes on.
                let mark = guest.kernelLogMark
                let said = try await lab.check("plug", "bell", "uhci")
                #expect(said.contains("paused"))
                try await guest.monitor.execute("cont")
                try await console.row(with: "● uhci", seconds: Self.shownWithin)
                try await guest.waitForKernelLog(containing: "SerialNumber: bell", since: mark)

                kill(guest.processIdentifier, SIGKILL)
                try await console.row(with: "✗ uhci", seconds: Self.shownWithin)
                await guest.waitUntilEnded()
                try await eventually("both devices to wait for their VM") {
                    try await lab.snapshot().devices.allSatisfy { $0.state == .waiting && $0.attachment?.vm == "uhci" }
                }
                try await console.select(vm: "uhci", "lamp  waiting")

                let returned = try await guests.guest(.uhci)
                try await returned.waitForKernelLog(containing: "SerialNumber: lamp", timeout: .seconds(60))
                try await returned.waitForKernelLog(containing: "SerialNumber: bell", timeout: .seconds(60))
                try await console.row(with: "● uhci")
                try await console.row(with: "● lamp", "FS")
                try await console.row(with: "● bell", "FS")
            }
        }

        /// A second is promised; another one is for this machine's load and for looking at the screen.
        private static let shownWithin = 2.0

        @Test func twoConsolesShowTheSame() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: LabDevices.serial("lamp")) { lab in
                try await lab.startEngine()
                let large = try lab.console()
                let small = try lab.console(columns: 80, rows: 24)
                try await large.row(with: "● xhci")
                try await small.row(with: "● xhci")
                try await small.row(with: "○ lamp", "unplugged")
                try await large.plug("lamp", into: "xhci")
                try await small.row(with: "● lamp", "SS")
                try await small.row(with: "lamp plugged into xhci")
                // What the second one does, the first one sees.
                try small.press("g")
                try await small.moveDown(to: "lamp  plugged since")
                try small.press("u")
                try await small.wait(for: "u again")
                try small.press("u")
                try await large.row(with: "lamp", "unplugged from xhci")
                try await small.row(with: "○ lamp", "unplugged")
                // And one that goes leaves the other alone.
                try small.press("q")
                try await small.wait(for: "rc=0")
                try await large.wait(for: "LIVE")
            }
        }
    }
}
