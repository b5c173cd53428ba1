import RedirectionTestKit
import Testing
import USBCore
import USBDevice
import USBRedirection

/// A bulk IN reply shorter than asked, though a whole number of packets: the guest's transfer must end with it, since a
/// simulated device ends a transfer by completing it. QEMU's xHCI and EHCI hand over whole transfers; its UHCI hands over
/// packets, so that there a reply of a whole packet fills what was asked for and ends nothing.
@Suite("usbredir session: a short reply ends the guest's transfer", .serialized)
struct ShortReadTests {
    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            RealQEMUTests.Case(controllers: ["qemu-xhci,id=xhci"], bus: "xhci.0", speed: .super, printed: "5000 Mb/s"),
            RealQEMUTests.Case(controllers: ["qemu-xhci,id=xhci"], bus: "xhci.0", speed: .high, printed: "480 Mb/s"),
            RealQEMUTests.Case(controllers: ["usb-ehci,id=ehci"], bus: "ehci.0", speed: .high, printed: "480 Mb/s"),
            RealQEMUTests.Case(
                controllers: ["piix3-usb-uhci,id=uhci"], bus: "uhci.0", speed: .full, printed: "12 Mb/s"),
            RealQEMUTests.Case(controllers: ["pci-ohci,id=ohci"], bus: "ohci.0", speed: .full, printed: "12 Mb/s"),
        ])
    func evenWhenItsLengthIsAMultipleOfThePacketSize(_ example: RealQEMUTests.Case) async throws {
        let packet = try #require(example.speed.bulkPacketSize)
        let guest = try await QEMUGuest(example.controllers, speed: example.speed) {
            ShortReadDisk(shortLength: packet)
        }
        try await guest.plug(bus: example.bus)
        try await guest.run()
        try await guest.watch { Self.isCompleted($0, packet) }
        let replied = ContinuousClock.now
        try await guest.watch {
            if case .submitted(let transfer) = $0 {
                ShortReadDisk.sectorRead(transfer.data) == ShortReadDisk.nextSector
            } else {
                false
            }
        }
        let waited = ContinuousClock.now - replied
        let sentZeroPacket = try await guest.onLoop { ($0.firmware as? ShortReadDisk)?.sentZeroPacket }
        if example.bus == "uhci.0" {
            // How long this takes says nothing: SeaBIOS sets no short packet detection in its UHCI descriptors.
            #expect(sentZeroPacket == true)
        } else {
            #expect(sentZeroPacket == false)
            // SeaBIOS gives up a transfer that does not end after 5 seconds.
            #expect(waited < .seconds(3))
        }
        try await guest.end()
    }

    private static func isCompleted(_ seen: WatchingTap.Seen, _ length: Int) -> Bool {
        if case .completed(let completion) = seen {
            completion.endpoint == .bulkIn && completion.data == Array(repeating: 0x55, count: length)
        } else {
            false
        }
    }
}
