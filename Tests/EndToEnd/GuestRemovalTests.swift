import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// The guest may take a device away from itself, and the operator is told that it was the guest.
    @Suite("The guest lets go", .serialized) struct GuestRemovalTests {
        @Test(
            arguments: [
                ("echo 1 >$(dirname $(grep -lx lamp /sys/bus/usb/devices/*/serial))/remove", "SET_CONFIGURATION 0"),
                ("2virt-guest release lamp", "released by the guest"),
            ])
        func isShownAsTheGuestsRemoval(command: String, reason: String) async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: LabDevices.serial("lamp")) { lab in
                try await lab.startEngine()
                let console = try lab.console()
                try await console.row(with: "● xhci")
                var mark = guest.kernelLogMark
                try await console.plug("lamp", into: "xhci")
                try await guest.waitForKernelLog(containing: "SerialNumber: lamp", since: mark)
                try await console.row(with: "lamp plugged into xhci")

                mark = guest.kernelLogMark
                try await guest.check(command)
                try await guest.waitForDisconnect(since: mark)
                let row = try await console.row(with: "lamp", "unplugged from xhci", reason)
                #expect(row.contains("by guest"))
                let device = try await lab.device("lamp")
                #expect(device.state == .unplugged && device.by == "guest")

                // Not plugged again against the guest's will, and again when the operator asks.
                mark = guest.kernelLogMark
                try await lab.check("plug", "lamp", "xhci")
                try await guest.waitForKernelLog(containing: "SerialNumber: lamp", since: mark)
            }
        }

        @Test func releasesOneInterface() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: "") { lab in
                try lab.add(LabDevices.desk(upstream: try await WebServer.start(in: lab).port))
                try await lab.startEngine()
                let console = try lab.console()
                try await lab.check("plug", "desk", "xhci")
                let mark = guest.kernelLogMark
                try await guest.check("2virt-guest release desk/tty")
                try await guest.waitForKernelLog(containing: "New USB device found", since: mark)
                try await console.row(with: "desk/tty", "switched off", "by guest")
                #expect(try await guest.check("2virt-guest list").contains("web"))
                try await guest.check("! test -e /dev/ttyACM0")
                #expect(try await lab.device("desk").interface("tty")?.gate == .off)
            }
        }
    }
}
