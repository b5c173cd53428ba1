import FirmwareTestKit
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// A boot loader in emulated flash takes an application from the guest, which then runs in its place, and stays.
    @Suite("Firmware upgrade", .serialized) struct FirmwareUpgradeTests {
        @Test func anApplicationIsDownloadedRunsAndStays() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.workbench()
            let application = try FirmwareBuilder.cdcBinary(start: LabGuests.applicationStart)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: "") { lab in
                try FirmwareBuilder.compile("dfu.c", to: lab.directory + "/boot.elf")
                try lab.add(
                    LabDevices.emulated(
                        "chip", image: "boot.elf", board: "stm32f072disco", extra: "flash = \"@/chip.flash\""))
                try await lab.startEngine()
                var mark = guest.kernelLogMark
                try await lab.check("plug", "chip", "workbench")
                try await guest.waitForKernelLog(containing: "idVendor=1209, idProduct=0020", since: mark)
                try await guest.waitForKernelLog(containing: "Product: boot loader", since: mark)
                #expect(try await guest.check("dfu-util --list").contains("Found DFU: [1209:0020]"))

                try await guest.check("cd /root; dfu-suffix --add application.bin --vid 1209 --pid 0020")
                mark = guest.kernelLogMark
                // The tool ends with 74: the device that it has reset is no more.
                let said = try await guest.run("dfu-util --download /root/application.bin 2>&1", timeout: .seconds(60))
                #expect(said.text.contains("Download done.") && said.text.contains("Done!"), "\(said.text)")
                try await guest.waitForKernelLog(containing: "device firmware changed", since: mark)
                try await guest.waitForKernelLog(containing: "idVendor=1209, idProduct=0010", since: mark)
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await guest.echo(bytes: 4096)
                #expect(try await lab.device("chip").product == "echo of bytes")

                // The flash is kept: a new engine, which plugs what was plugged, starts the application at once.
                mark = guest.kernelLogMark
                try await eventually("the flash to be written") {
                    let kept = try? Data(contentsOf: URL(fileURLWithPath: lab.directory + "/chip.flash"))
                    return kept.map { Array($0.dropFirst(0x2000).prefix(application.count)) } == application
                }
                try await lab.killEngine()
                try await guest.waitForDisconnect(since: mark)
                mark = guest.kernelLogMark
                try await lab.startEngine()
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await guest.echo(bytes: 4096)

                // Held at reset, the button asks for the boot loader, which gives the application back.
                mark = guest.kernelLogMark
                try await lab.check("button", "chip", "user", "--hold")
                try await lab.check("reset", "chip")
                try await guest.waitForDisconnect(since: mark)
                try await guest.waitForKernelLog(containing: "idVendor=1209, idProduct=0020", since: mark)
                try await lab.check("button", "chip", "user", "--release")
                let read = try await guest.check("rm -f /tmp/up; dfu-util --upload /tmp/up 2>&1", timeout: .seconds(60))
                #expect(read.contains("Upload done."), "\(read)")
                let uploaded = [UInt8](try await guest.run("cat /tmp/up; rm /tmp/up").output)
                #expect(uploaded.count == 0x6000)
                #expect(Array(uploaded.prefix(application.count)) == application)
                try await lab.check("unplug", "chip")
            }
        }
    }
}
