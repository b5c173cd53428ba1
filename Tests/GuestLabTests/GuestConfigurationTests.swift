import Testing

@testable import GuestLab

@Suite struct GuestConfigurationTests {
    private let image = GuestImage(kernelRelease: "6.1", directory: "/cache/a,b")

    @Test(arguments: ["", "a/b", "a,b", "../x", "-x", ".x", "a b", "ä", String(repeating: "x", count: 49)])
    func namesThatCannotBeFilesAreRefused(name: String) {
        #expect(throws: LabError.self) { try GuestConfiguration(name: name, image: image).validate() }
    }

    @Test func goodNamePasses() throws {
        try GuestConfiguration(name: "demo-1.test_x", image: image).validate()
        #expect(throws: LabError.self) { try GuestConfiguration(name: "a", image: image, memoryMiB: 1).validate() }
    }

    @Test func commandLineNamesEveryController() {
        let configuration = GuestConfiguration(
            name: "vm", image: image, controllers: [.xhci, .ich9, .xhci], extraArguments: ["-snapshot"])
        let arguments = QEMUCommandLine.arguments(
            for: configuration, paths: GuestPaths(directory: "/t", qmpDirectory: "/v,m", name: "vm"),
            accelerator: .tcg, initramfs: "/i")
        #expect(arguments.filter { $0.hasPrefix("qemu-xhci") } == ["qemu-xhci,id=xhci,p2=8,p3=8"])
        #expect(arguments.filter { $0.hasPrefix("ich9-usb-uhci") }.count == 3)
        #expect(arguments.contains("unix:/v,,m/vm.qmp,server=on,wait=off"))
        #expect(arguments.contains("/cache/a,b/vmlinux"))
        #expect(arguments.last == "-snapshot")
    }

    @Test func fractionsGrowWithTheStages() {
        let fractions = BuildProgress.Stage.allCases.map { BuildProgress($0, "").fraction }
        #expect(fractions == fractions.sorted())
        #expect(BuildProgress(.downloading, stageFraction: 2, "").fraction <= BuildProgress(.unpacking, "").fraction)
    }
}
