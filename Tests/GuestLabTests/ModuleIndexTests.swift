import Testing

@testable import GuestLab

@Suite struct ModuleIndexTests {
    private let dependencies = """
        kernel/drivers/usb/host/xhci-pci.ko: kernel/drivers/usb/host/xhci-hcd.ko kernel/drivers/usb/core/usbcore.ko
        kernel/drivers/usb/host/xhci-hcd.ko: kernel/drivers/usb/core/usbcore.ko
        kernel/drivers/usb/core/usbcore.ko.xz:
        """

    private func index() throws -> ModuleIndex {
        try ModuleIndex(dependencyList: dependencies, builtInList: "kernel/net/packet/af_packet.ko\n", named: "m")
    }

    @Test func closureTakesDependenciesAndKnowsBothSpellings() throws {
        #expect(
            try index().closure(of: ["xhci_pci", "af_packet"]) == [
                "kernel/drivers/usb/core/usbcore.ko", "kernel/drivers/usb/host/xhci-hcd.ko",
                "kernel/drivers/usb/host/xhci-pci.ko",
            ])
        #expect(try index().closure(of: ["usbcore"]) == ["kernel/drivers/usb/core/usbcore.ko.xz"])
    }

    @Test func absentModuleIsNamed() throws {
        let index = try index()
        #expect(throws: LabError.noKernelPackage("the kernel package has no module nosuch")) {
            try index.closure(of: ["nosuch"])
        }
    }

    @Test(arguments: ["no colon", "/etc/passwd:", "kernel/a.ko: ../../b.ko", "../x.ko:"])
    func hostileIndexIsRefused(text: String) {
        #expect(throws: LabError.self) { try ModuleIndex(dependencyList: text, builtInList: "", named: "m") }
    }
}
