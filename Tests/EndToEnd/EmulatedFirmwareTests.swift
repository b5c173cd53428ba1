import ControlProtocol
import FirmwareTestKit
import Foundation
import GuestLab
import Testing

extension EndToEnd.GuestTests {
    /// Microcontroller images on the emulated chip, in a real guest with its own drivers.
    @Suite("Emulated firmware", .serialized) struct EmulatedFirmwareTests {
        static let bytes = 1 << 20

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
                    try await eventually("configured") { try await lab.device("mux").guest == .configured }
                    mark = guest.kernelLogMark
                    try await lab.check("unplug", "mux")
                    try await guest.waitForDisconnect(since: mark)
                }
            }
        }

        @Test func aShippedImageIsDrivenByItsOwnToolInTheGuest() async throws {
            struct Answer: Decodable {
                struct Status: Decodable, Equatable {
                    var data_links: String
                    var power_links: String
                    var dut_otg_output: Bool
                }
                var error: Bool
                var errormessage: String?
                var status: Status?
            }
            let guests = try LabGuests.here
            let guest = try await guests.workbench()
            func tool(_ command: String) async throws -> Answer.Status {
                let said = try await guest.check(
                    "PYTHONPATH=/root/usbmuxctl.whl python3 -m usbmuxctl --json \(command)", timeout: .seconds(60))
                let answer = try JSONDecoder().decode(Answer.self, from: Data(said.utf8))
                #expect(!answer.error, "\(answer.errormessage ?? said)")
                guard let status = answer.status else { throw LabEnvironment.Failure(description: said) }
                return status
            }
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: "") { lab in
                try Data(FirmwareBuilder.usbMuxBytes()).write(to: URL(fileURLWithPath: lab.directory + "/mux.bin"))
                try lab.add(LabDevices.emulated("mux", image: "mux.bin", board: "usbmux"))
                try await lab.startEngine()
                try await lab.check("plug", "mux", "workbench")
                try await eventually("configured") { try await lab.device("mux").guest == .configured }
                // Python looks for libusb in the loader's cache, which a maintainer script would have made.
                try await guest.check("ldconfig")
                #expect(try await tool("status").data_links == "None")
                for (option, links) in [("--dut-device", "DUT-Device"), ("--host-device", "Device-Host")] {
                    let now = try await tool("connect \(option)")
                    #expect(now.data_links == links && now.dut_otg_output == (option == "--dut-device"))
                    #expect(try await tool("status") == now)
                }
                #expect(try await tool("disconnect").data_links == "None")
                try await lab.check("unplug", "mux")
            }
        }

        @Test(arguments: [
            ("cdc.c", FirmwareBuilder.Target.f072), ("cdc_otg.c", FirmwareBuilder.Target.f407),
            ("cdc_rp2040.c", FirmwareBuilder.Target.rp2040),
        ]) func aCompiledImageEchoesThroughTheGuestsSerialDriver(
            source: String, target: FirmwareBuilder.Target
        ) async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                try FirmwareBuilder.compile(source, for: target, to: lab.directory + "/echo.elf")
                try lab.add(LabDevices.emulated("echo", image: "echo.elf", board: target.board))
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
                    print("Emulated echo, \(target), round \(round): \(Self.bytes) bytes both ways in \(seconds) s")
                    mark = guest.kernelLogMark
                    try await lab.check("unplug", "echo")
                    try await guest.waitForDisconnect(since: mark)
                    try await guest.check("! test -e /dev/ttyACM0")
                }
            }
        }

        @Test func boardIsSeenAndTouchedByTheOperator() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source(of: guest), devices: "") { lab in
                try FirmwareBuilder.compile("cdc.c", to: lab.directory + "/echo.elf")
                try lab.add(LabDevices.emulated("echo", image: "echo.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                let before = try await lab.device("echo")
                #expect(before.idVendor == 0x1209 && before.idProduct == 0x10 && before.product == "echo of bytes")
                #expect(before.interfaces.map(\.name) == ["if0", "if1"])
                #expect(before.interfaces.map(\.title) == ["Serial control", "Serial data"])
                #expect(before.interfaces.last?.endpoints.map(\.address) == [0x01, 0x81])
                try await eventually("the firmware's greeting") {
                    try await lab.device("echo").emulator?.serialText == "echo ready\r\n"
                }
                let mark = guest.kernelLogMark
                try await lab.check("plug", "echo", "xhci")
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)

                // Firmware shows DTR on its red LED, and says which button is pressed.
                async let said = guest.check("stty -F /dev/ttyACM0 raw -echo; head -n 1 /dev/ttyACM0")
                try await eventually("the red LED") {
                    try await lab.device("echo").emulator?.lights.first?.isOn == true
                }
                let console = try lab.console()
                try await console.select(vm: "xhci", "› echo")
                try await console.row(with: "● echo", "1209:0010")
                try console.press("b")
                try await console.row(with: "LEDs", "● red")
                try await console.row(with: "echo ready")
                try await console.row(with: ">Buttons", "user")
                try console.press("Enter")
                #expect(try await said == "button")
                try console.press("Escape")

                let held = try await lab.check("button", "echo", "--hold")
                #expect(held.contains("button user held"))
                #expect(try await lab.device("echo").emulator?.buttons.first?.isOn == true)
                try await lab.check("button", "echo", "user", "--release")
                let table = try await lab.check("devices")
                #expect(table.contains("stm32f072disco"))
                let refused = try await lab.run("disable", "echo", "if1", "--config", lab.configuration)
                #expect(refused.errors.contains("which alone decides about its interfaces"))
            }
        }

        @Test func firmwareThatLeavesTheBusLeavesTheGuest() async throws {
            let guests = try LabGuests.here
            let guest = try await guests.guest(.xhci)
            try await LabEnvironment.use(vms: guests.source, devices: "") { lab in
                try FirmwareBuilder.compile("cdc.c", to: lab.directory + "/echo.elf")
                try lab.add(LabDevices.emulated("echo", image: "echo.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                var mark = guest.kernelLogMark
                try await lab.check("plug", "echo", "xhci")
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)

                // 1200 bit/s is its word for becoming another device, as bootloaders are called.
                mark = guest.kernelLogMark
                try await guest.check("stty -F /dev/ttyACM0 1200")
                try await guest.waitForDisconnect(since: mark)
                try await guest.waitForKernelLog(containing: "idVendor=1209, idProduct=0011", since: mark)
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                #expect(try await lab.device("echo").idProduct == 0x11)

                // 600 bit/s: off the bus for good.
                mark = guest.kernelLogMark
                try await guest.check("stty -F /dev/ttyACM0 600")
                try await guest.waitForDisconnect(since: mark)
                try await guest.check("! test -e /dev/ttyACM0")
                let away = try await lab.device("echo")
                #expect(away.state == .plugged && away.guest == .absent && away.emulator?.isAttached == false)

                // Until somebody presses its button.
                mark = guest.kernelLogMark
                try await lab.check("button", "echo")
                try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                try await guest.echo(bytes: 4096)
            }
        }

        @Test func worksOverUSBIPToo() async throws {
            let guest = try await LabGuests.here.networked()
            let devices = """
                [usbip]
                listen = ["127.0.0.1:0"]
                """
            try await LabEnvironment.use(vms: "", devices: devices) { lab in
                try FirmwareBuilder.compile("cdc.c", to: lab.directory + "/echo.elf")
                try lab.add(LabDevices.emulated("echo", image: "echo.elf", board: "stm32f072disco"))
                try await lab.startEngine()
                let (address, bus) = try await lab.exported("echo")
                try await guest.check("modprobe vhci-hcd")
                for _ in 1...2 {
                    let mark = guest.kernelLogMark
                    try await guest.check("2virt-guest attach \(address) \(bus)")
                    try await guest.waitForKernelLog(containing: "Product: echo of bytes", since: mark)
                    try await guest.waitForKernelLog(containing: "ttyACM0: USB ACM device", since: mark)
                    try await guest.echo(bytes: Self.bytes)
                    try await guest.check("2virt-guest detach \(bus)")
                    try await guest.waitForDisconnect(since: mark)
                }
            }
        }
    }
}
