import Foundation
import Testing

@testable import GuestLab

@Suite struct GuestContentsTests {
    @Test(arguments: ["", "a", "-y", "../x", "Usbip", "usbip=1", "a b", "usbip/sid", "ä1"])
    func whatIsNoPackageNameIsRefused(name: String) {
        #expect(throws: LabError.self) { try GuestContents(packages: [name]).validate() }
    }

    @Test(arguments: ["", "a/b", "--all", "x y", "../m"])
    func whatIsNoModuleNameIsRefused(name: String) {
        #expect(throws: LabError.self) { try GuestContents(modules: [name]).validate() }
    }

    @Test func orderAndRepetitionMakeNoOtherImage() throws {
        let contents = GuestContents(packages: ["usbip", "fio", "usbip"], modules: ["bridge"])
        try contents.validate()
        #expect(contents == GuestContents(packages: ["fio", "usbip"], modules: ["bridge"]))
        #expect(contents != .base)
    }

    @Test func simulationLinesAreRead() {
        let line = "Inst qemu-guest-agent (1:7.2+dfsg-7 Debian:12.15/oldstable, Debian-Security:12 [amd64])"
        let package = DebianPackage(simulationLine: line)
        #expect(package == DebianPackage(name: "qemu-guest-agent", version: "1:7.2+dfsg-7"))
        #expect(package?.filePrefix == "qemu-guest-agent_1%3a7.2+dfsg-7_")
        for other in [
            "", "Inst", "Inst x", "Inst x 1.0", "Conf x (1 D [amd64])", "Inst ../x (1 D)", "Inst x:i386 (1 D)",
        ] {
            #expect(DebianPackage(simulationLine: other) == nil, "\(other)")
        }
    }

    @Test func interpretersComeOnlyWhenAskedFor() {
        let usual = PackageSet.pretendedStatus(without: ["fio"])
        #expect(usual.contains("Package: python3\n") && usual.contains("Package: perl-base\n"))
        let asked = PackageSet.pretendedStatus(without: ["perl", "fio"])
        #expect(asked.contains("Package: python3\n") && !asked.contains("Package: perl"))
    }

    @Test(arguments: [
        ("/bin/sh", "usr/bin/sh"), ("lib/modules/6.1/x.ko", "usr/lib/modules/6.1/x.ko"), ("bin", "bin"),
        ("/usr/bin/x", "/usr/bin/x"), ("init", "init"), ("etc/lib/x", "etc/lib/x"), ("binary/x", "binary/x"),
    ])
    func pathsFollowTheLinksIntoUsr(path: String, merged: String) {
        #expect(MergedUsr.path(path) == merged)
    }

    @Test func packageFilesKeepTheirKind() throws {
        let scratch = try LabScratch()
        let manager = FileManager.default
        for folder in ["bin", "usr/share/doc/x"] {
            try manager.createDirectory(atPath: "\(scratch.path)/\(folder)", withIntermediateDirectories: true)
        }
        try "doc".write(toFile: "\(scratch.path)/usr/share/doc/x/copyright", atomically: true, encoding: .utf8)
        try "tool".write(toFile: "\(scratch.path)/bin/tool", atomically: true, encoding: .utf8)
        chmod("\(scratch.path)/bin/tool", 0o4755)
        try manager.createSymbolicLink(atPath: "\(scratch.path)/bin/link", withDestinationPath: "tool")
        var layer = PackageLayer()
        try layer.add(scratch.path)
        let members = try CPIOReader.members(of: layer.finish(), named: "layer")
        #expect(members.first { $0.path == "usr/bin/tool" }?.mode == 0o104755)
        #expect(members.first { $0.path == "usr/bin/link" }?.mode == 0o120777)
        #expect(!members.contains { $0.path == "bin" || $0.path.hasPrefix("usr/share/doc") })
    }
}
