import Foundation
import Testing

@testable import GuestClientKit

@Suite struct VHCITests {
    /// A controller's folders as files.
    private final class Fixture {
        let root = NSTemporaryDirectory() + "vhci-\(UUID().uuidString)"
        var vhci: VHCI { VHCI(folder: root + "/vhci", stateFolder: root + "/state", usbRoot: root + "/usb") }

        init(status: [String]) throws {
            for folder in ["vhci", "state", "usb/3-1"] {
                try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
            }
            for (index, text) in status.enumerated() {
                try text.write(
                    toFile: root + "/vhci/status" + (index == 0 ? "" : ".\(index)"), atomically: true, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }
    }

    private static let heading = "hub port sta spd dev      sockfd local_busid\n"
    private static let first =
        heading + "hs  0000 004 000 00000000 000000 0-0\nhs  0001 006 003 00010002 000005 3-1\n"
        + "ss  0008 005 005 00010003 000006 0-0\n"
    private static let second = heading + "hs  0016 006 002 00010004 000007 5-2\nhs  0017 007 000 00000000 000000 0-0\n"

    @Test func portsOfAllControllersAreRead() throws {
        let fixture = try Fixture(status: [Self.first, Self.second])
        let ports = try fixture.vhci.ports()
        #expect(ports.map(\.number) == [0, 1, 8, 16, 17])
        #expect(ports.map(\.state) == [.free, .used, .starting, .used, .failing])
        #expect(ports.map(\.hub) == [.highSpeed, .highSpeed, .superSpeed, .highSpeed, .highSpeed])
        #expect(ports.map(\.localName) == [nil, "3-1", nil, "5-2", nil])
        #expect(ports[1].deviceID == 0x10002)
        #expect(!fixture.vhci.isRemoved(ports[1]))
        #expect(fixture.vhci.isRemoved(ports[3]))
    }

    @Test func aLostConnectionIsNoRemovalByTheGuest() throws {
        let line = "hs  0016 006 003 00010004 4294967295 5-2\n"
        let fixture = try Fixture(status: [Self.heading + line])
        let port = try #require(try fixture.vhci.ports().first)
        #expect(port.state == .failing)
        #expect(!fixture.vhci.isRemoved(port))
        // The same when the port was read before the loss, and the device is looked for after it.
        let before = try #require(VHCIPort(statusLine: "hs  0016 006 003 00010004 000005 5-2"))
        #expect(!fixture.vhci.isRemoved(before))
    }

    @Test(arguments: [
        "", "hub port sta spd dev      sockfd local_busid", "hs 0000", "xx 0000 004 000 00000000 000000 0-0",
        "hs -1 004 000 00000000 000000 0-0", "hs 0000 099 000 00000000 000000 0-0", "hs 0 004 000 zz 0 0-0",
        "hs 99999999999999999999 004 000 00000000 000000 0-0",
    ])
    func otherLinesAreSkipped(line: String) {
        #expect(VHCIPort(statusLine: line) == nil)
    }

    @Test func aMissingDriverIsSaid() {
        #expect(
            throws: GuestError.unsupported("the driver vhci-hcd is not loaded: nothing is attached over the network")
        ) {
            try VHCI(folder: "/nowhere", stateFolder: "/nowhere", usbRoot: "/nowhere").ports()
        }
    }

    @Test func recordsAreKeptAsTheUsbipToolKeepsThem() throws {
        let fixture = try Fixture(status: [Self.first, Self.second])
        let record = AttachmentRecord(host: "10.0.2.2", port: "3240", busID: "1-7")
        fixture.vhci.remember(record, of: 1)
        #expect(try String(contentsOfFile: fixture.root + "/state/port1", encoding: .utf8) == "10.0.2.2 3240 1-7\n")
        #expect(fixture.vhci.record(of: 1) == record)
        for text in ["1", "1-7", "3-1"] { #expect(try fixture.vhci.port(named: text).number == 1) }
        #expect(throws: GuestError.self) { try fixture.vhci.port(named: "1-8") }
        #expect(throws: GuestError.self) { try fixture.vhci.port(named: "0") }
        fixture.vhci.remember(record, of: 16)
        #expect(throws: GuestError.failed("'1-7' is attached to ports 1, 16; name the port")) {
            try fixture.vhci.port(named: "1-7")
        }
        fixture.vhci.forget(1)
        #expect(fixture.vhci.record(of: 1) == nil)
        try "a b\n".write(toFile: fixture.root + "/state/port1", atomically: true, encoding: .utf8)
        #expect(fixture.vhci.record(of: 1) == nil)
    }

    @Test(arguments: [
        ("10.0.2.2", "10.0.2.2:3240"), ("10.0.2.2:9", "10.0.2.2:9"), ("::1", "[::1]:3240"), ("[::1]:80", "[::1]:80"),
        ("[::1]", "[::1]:3240"), ("host.example", "host.example:3240"),
    ])
    func addressesAreRead(text: String, shown: String) {
        #expect(ExporterAddress(text)?.description == shown)
    }

    @Test(arguments: ["", ":3240", "a:", "a:0", "a:65536", "a:x", "[::1", "[::1]x", "[]", "a b", "ä"])
    func otherAddressesAreRefused(text: String) {
        #expect(ExporterAddress(text) == nil)
    }
}
