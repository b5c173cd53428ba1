import Foundation
import Testing

@testable import GuestLab

@Suite struct CPIOTests {
    private func sample() throws -> Data {
        var writer = CPIOWriter()
        try writer.add(CPIOEntry(path: "/usr/bin/tool", permissions: 0o755, kind: .file(Data("hello".utf8))))
        try writer.add(CPIOEntry(path: "bin/sh", permissions: 0o777, kind: .symbolicLink(target: "busybox")))
        try writer.add(
            CPIOEntry(path: "dev/console", permissions: 0o600, kind: .characterDevice(major: 5, minor: 1)))
        return try writer.finish()
    }

    @Test func writesParentsOnceAndReadsBack() throws {
        let archive = try sample()
        let members = try CPIOReader.members(of: archive, named: "a")
        #expect(members.map(\.path) == ["usr", "usr/bin", "usr/bin/tool", "bin", "bin/sh", "dev", "dev/console"])
        #expect(members.map(\.mode) == [0o40755, 0o40755, 0o100755, 0o40755, 0o120777, 0o40755, 0o020600])
        #expect(archive[members[2].body] == Data("hello".utf8))
        #expect(archive.count % 512 == 0)
    }

    @Test func busyboxReadsIt() async throws {
        let scratch = try LabScratch()
        try sample().write(to: URL(fileURLWithPath: scratch.path + "/a.cpio"))
        let listing = try await HostTool.run("/bin/busybox", ["cpio", "-t", "-F", "a.cpio"], in: scratch.path)
        #expect(listing.split(separator: "\n").contains("usr/bin/tool"))
    }

    @Test(arguments: [
        "", "/", "../etc/passwd", "a/../b", "a\0b", "TRAILER!!!", "./a", String(repeating: "x", count: 2000),
    ])
    func refusesPathsThatLeaveTheGuest(path: String) {
        var writer = CPIOWriter()
        #expect(throws: LabError.self) {
            try writer.add(CPIOEntry(path: path, permissions: 0o644, kind: .file(Data())))
        }
    }

    @Test func everyTruncationBeforeTheTrailerIsRefused() throws {
        let archive = try sample()
        let members = try CPIOReader.members(of: archive, named: "a")
        let trailerEnd = (members.last?.body.upperBound ?? 0) + 110 + 11
        for count in 0..<trailerEnd {
            #expect(throws: LabError.self) { try CPIOReader.members(of: archive.prefix(count), named: "a") }
        }
    }

    @Test func lyingHeadersAreRefused() throws {
        let archive = try sample()
        // Field 6 is the file size, field 11 the name's; both at eight digits a field behind the magic.
        for (field, digits) in [
            (6, "FFFFFFFF"), (6, "7FFFFFFF"), (11, "FFFFFFFF"), (11, "00000000"), (11, "00000001"), (1, "0000000G"),
        ] {
            var damaged = archive
            damaged.replaceSubrange(6 + field * 8..<14 + field * 8, with: digits.utf8)
            #expect(throws: LabError.self) { try CPIOReader.members(of: damaged, named: "a") }
        }
    }

    @Test func sliceWithItsOwnIndicesIsRead() throws {
        let archive = try Data([1, 2, 3]) + sample()
        #expect(try CPIOReader.members(of: archive.dropFirst(3), named: "a").count == 7)
    }
}
