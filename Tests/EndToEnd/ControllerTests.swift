import ControlProtocol
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// The same plug on each kind of host controller; the device serves the descriptors of the port's speed.
    @Suite("Host controllers", .serialized) struct ControllerTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var controller: USBController
            /// `speed` of the configuration; nil: what the port takes.
            var asked: String?
            var kernel: String
            var sysfs: String
            var short: String
            var bulkPacket: Int

            var testDescription: String { "\(controller.rawValue), \(asked ?? "any") speed" }
        }

        @Test(arguments: [
            Case(controller: .xhci, kernel: "new SuperSpeed USB", sysfs: "5000", short: "SS", bulkPacket: 1024),
            Case(
                controller: .xhci, asked: "high", kernel: "new high-speed USB", sysfs: "480", short: "HS",
                bulkPacket: 512),
            Case(
                controller: .xhci, asked: "full", kernel: "new full-speed USB", sysfs: "12", short: "FS",
                bulkPacket: 64),
            Case(controller: .ehci, kernel: "new high-speed USB", sysfs: "480", short: "HS", bulkPacket: 512),
            Case(controller: .uhci, kernel: "new full-speed USB", sysfs: "12", short: "FS", bulkPacket: 64),
        ])
        func takesThePlug(_ test: Case) async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(test.controller)
            let name = test.controller.rawValue
            try await LabEnvironment.use(
                vms: guests.source, devices: LabDevices.serial("lamp", speed: test.asked)
            ) { lab in
                try await lab.startEngine()
                let console = try lab.console(columns: 120, rows: 36)
                try await console.row(with: "● \(name)")
                let mark = guest.kernelLogMark
                try await console.plug("lamp", into: name)
                try await guest.waitForKernelLog(containing: test.kernel, since: mark)
                try await guest.waitForKernelLog(containing: "idVendor=02a0, idProduct=a123", since: mark)
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await console.row(with: "● lamp", test.short)

                let facts = try await guest.check(
                    """
                    cd $(dirname $(grep -lx lamp /sys/bus/usb/devices/*/serial))
                    cat speed; cat *:1.1/ep_*/wMaxPacketSize | sort -u
                    """)
                #expect(facts == "\(test.sysfs)\n" + hex(test.bulkPacket))

                let peer = try await EchoPeer.connect(to: lab.directory + "/lamp.sock")
                let answer = try await guest.check(
                    "exec 3<>/dev/ttyACM0; stty raw -echo <&3; echo over the wire >&3; read -r line <&3; echo $line")
                #expect(answer == "over the wire")
                // Whole packets at every speed, and cdc_acm keeps several reads under way: where a controller cancels
                // those behind a short one, or joins packets to transfers, bytes would be lost or stay away.
                try await guest.check(
                    """
                    head -c 65536 /dev/urandom >/tmp/out
                    head -c 65536 /dev/ttyACM0 >/tmp/in & cat /tmp/out >/dev/ttyACM0; wait
                    cmp /tmp/in /tmp/out && rm /tmp/in /tmp/out
                    """, timeout: .seconds(30))
                try await peer.close()
            }
        }

        private func hex(_ value: Int) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
}
