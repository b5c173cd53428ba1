import ControlProtocol
import FirmwareTestKit
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Microcontroller images on the emulated chip, in a real guest with its own drivers.
    @Suite("Emulated firmware", .serialized) struct EmulatedFirmwareTests {
        static let bytes = 65_536

        @Test func aShippedImageIsTakenForTheDeviceThatItIs() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                try Data(FirmwareBuilder.usbMuxBytes()).write(to: URL(fileURLWithPath: lab.directory + "/mux.bin"))
                try lab.add(LabDevices.emulated("mux", image: "mux.bin", board: "usbmux"))
                try await lab.startEngine()
                for _ in 1...2 {
                    var mark = guest.kernelLogMark
                    try await lab.check("plug", "mux", "xhci")
                    for text in [
                        "new full-speed USB device", "idVendor=33f7, idProduct=0001", "Product: USB-Mux",
                        "Manufacturer: Linux Automation GmbH",
                    ] {
                        try await guest.waitForKernelLog(containing: text, since: mark)
                    }
                    #expect(try await lab.device("mux").guest == .configured)
                    mark = guest.kernelLogMark
                    try await lab.check("unplug", "mux")
                    try await guest.waitForDisconnect(since: mark)
                }
            }
        }

        @Test func aCompiledImageEchoesThroughTheGuestsSerialDriver() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                try FirmwareBuilder.compile("cdc.c", to: lab.directory + "/echo.elf")
                try lab.add(LabDevices.emulated("echo", image: "echo.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                for round in 1...2 {
                    var mark = guest.kernelLogMark
                    try await lab.check("plug", "echo", "xhci")
                    try await guest.waitForKernelLog(containing: "idVendor=1209, idProduct=0010", since: mark)
                    try await guest.waitForKernelLog(containing: "Product: echo of bytes", since: mark)
                    try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                    let began = ContinuousClock.now
                    try await guest.echo(bytes: Self.bytes)
                    let seconds = (ContinuousClock.now - began) / .seconds(1)
                    print("Emulated echo, round \(round): \(Self.bytes) bytes both ways in \(seconds) s")
                    mark = guest.kernelLogMark
                    try await lab.check("unplug", "echo")
                    try await guest.waitForDisconnect(since: mark)
                    try await guest.check("! test -e /dev/ttyACM0")
                }
            }
        }
    }
}
