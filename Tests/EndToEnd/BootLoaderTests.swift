import ControlProtocol
import GuestLab
import Testing

extension EndToEnd {
    /// A keyboard where there is no operating system yet: SeaBIOS drives it by the boot protocol, GRUB shows the keys.
    @Suite("Boot loader", .serialized) struct BootLoaderTests {
        /// Shorter than its screen is wide, with the prompt.
        private static let lines = [
            "THE QUICK BROWN FOX jumps over the lazy dog 0123456789",
            #""It's 7" & ('so') that {early}: 100% of #1; <most> [of]"#,
            #"us_think = yes! a + b - c * d ^ e | f ~ `date` $5 ? 2/3, @x \."#,
        ]

        @Test(arguments: [USBController.xhci, .ehci, .uhci])
        func aParagraphAppearsExactly(on controller: USBController) async throws {
            let vms = "[[vms]]\nsource = \"qmp\"\npath = \"@/loader.qmp\"\nname = \"loader\""
            let devices = """
                \(vms)

                [[device]]
                name = "keys"
                interfaces = [{ kind = "keyboard", name = "kbd" }]
                """
            try await LabEnvironment.use(vms: "", devices: devices) { lab in
                let loader = try await BootLoader(controller, in: lab)
                defer { loader.stop() }
                try await lab.startEngine()
                try await eventually("the VM") { try await lab.snapshot().vm("loader")?.state == .running }
                // Nobody looks for devices while the loader waits; the plug ends when the firmware has found it.
                async let plugged = lab.check("plug", "keys", "loader")
                try await eventually("the device in its port") { try await lab.device("keys").attachment != nil }
                try await loader.reset()
                #expect(try await plugged.contains("keys plugged into loader"))
                try await eventually("configured by the firmware") { try await lab.device("keys").guest == .configured }

                for line in Self.lines {
                    try await lab.check("type", "keys", line + "\n")
                    try await loader.shows("\(BootLoader.prompt)\(line)\n\r")
                }
                try await lab.check("unplug", "keys")
            }
        }
    }
}
