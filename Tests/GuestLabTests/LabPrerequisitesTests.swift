import Foundation
import Testing

@testable import GuestLab

@Suite struct LabPrerequisitesTests {
    @Test func messageIsTheCommandThatHelps() {
        let missing: Set = ["qemu-system-x86", "busybox-static"]
        #expect {
            try LabPrerequisites.check(LabPrerequisites.packages) { !missing.contains($0.name) }
        } throws: {
            "\($0)" == "apt-get install -y --no-install-recommends qemu-system-x86 busybox-static"
        }
    }

    @Test func nothingMissingIsNoError() throws {
        try LabPrerequisites.check(LabPrerequisites.packages) { _ in true }
    }

    @Test func dynamicExecutableIsNotTakenForBusybox() throws {
        #expect(LabPrerequisites.isStaticExecutable("/bin/busybox"))
        #expect(!LabPrerequisites.isStaticExecutable("/bin/sh"))
        let scratch = try LabScratch()
        let liar = scratch.path + "/elf"
        var header = [UInt8](repeating: 0xFF, count: 64)
        header.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
        try Data(header).write(to: URL(fileURLWithPath: liar))
        #expect(!LabPrerequisites.isStaticExecutable(liar))
    }

    @Test func absentProgramIsNotInstalled() {
        #expect(!LabPrerequisites.isInstalled(LabPackage(name: "x", purpose: "", program: "no-such-program-2virt")))
        #expect(!LabPrerequisites.isInstalled(LabPackage(name: "x", purpose: "", program: "/etc")))
    }
}
