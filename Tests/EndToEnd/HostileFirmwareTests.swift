import FirmwareTestKit
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Firmware that crashes, hangs, stalls and floods: told with where it is, and nobody else notices.
    @Suite("Hostile firmware", .serialized) struct HostileFirmwareTests {
        /// What `hostile.c` does, and what the operator reads of it.
        static let reports: [(mode: String, told: [String])] = [
            ("JUMPS", ["crashed", "jump to 0xf0000000", "(start)"]),
            ("WRITES", ["crashed", "write to 0x20004000", "(start+0x"]),
            ("SILENT", ["did not attach to the bus", "(start+0x"]),
            ("STALLS", ["does not enumerate", "did not accept an address", "its firmware is at 0x0800"]),
            ("FLOODS", ["does not enumerate", "did not accept an address", "its firmware is at 0x0800"]),
        ]

        @Test(.timeLimit(.minutes(5))) func isReportedWithItsPlaceAndOthersWork() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                for (mode, _) in Self.reports {
                    try FirmwareBuilder.compile(
                        "hostile.c", defining: ["MODE=\(mode)"], to: "\(lab.directory)/\(mode).elf")
                    try lab.add(LabDevices.emulated(mode.lowercased(), image: "\(mode).elf", board: "stm32f072disco"))
                }
                try FirmwareBuilder.compile("cdc.c", to: lab.directory + "/echo.elf")
                try lab.add(LabDevices.emulated("echo", image: "echo.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                let engine = try await lab.enginePID()

                let mark = guest.kernelLogMark
                try await lab.check("plug", "echo", "xhci")
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await guest.echo(bytes: 65536)
                for (mode, told) in Self.reports {
                    let refused = try await lab.run("plug", mode.lowercased(), "xhci", "--config", lab.configuration)
                    #expect(refused.status != 0)
                    let log = try String(contentsOfFile: lab.engineLog, encoding: .utf8)
                    for words in told {
                        #expect((refused.errors + log).contains(words), "\(mode): \(refused.errors)")
                    }
                }
                try await guest.echo(bytes: 65536)
                #expect(try await lab.enginePID() == engine)
                try await lab.check("unplug", "echo")
            }
        }
    }
}
