import NIOCore
import RedirectionTestKit
import Testing
import USBCore
import USBDevice
import USBRedirection

/// Against QEMU's own usbredir code. SeaBIOS enumerates the keyboard interface of the loopback device.
@Suite("usbredir session: a real QEMU", .serialized, .timeLimit(.minutes(3)))
struct RealQEMUTests {
    /// Controllers, the bus to plug into, a speed they take, and how `info usb` prints it.
    struct Case: Sendable, CustomTestStringConvertible {
        let controllers: [String]
        let bus: String
        let speed: Speed
        let printed: String
        var testDescription: String { "\(speed.name) on \(bus)" }
    }

    static let cases = [
        Case(controllers: ["qemu-xhci,id=xhci"], bus: "xhci.0", speed: .super, printed: "5000 Mb/s"),
        Case(controllers: ["qemu-xhci,id=xhci"], bus: "xhci.0", speed: .high, printed: "480 Mb/s"),
        Case(controllers: ["qemu-xhci,id=xhci"], bus: "xhci.0", speed: .full, printed: "12 Mb/s"),
        Case(controllers: ["qemu-xhci,id=xhci"], bus: "xhci.0", speed: .low, printed: "1.5 Mb/s"),
        Case(controllers: ["usb-ehci,id=ehci"], bus: "ehci.0", speed: .high, printed: "480 Mb/s"),
        Case(controllers: ["piix3-usb-uhci,id=uhci"], bus: "uhci.0", speed: .full, printed: "12 Mb/s"),
        Case(controllers: ["pci-ohci,id=ohci"], bus: "ohci.0", speed: .low, printed: "1.5 Mb/s"),
    ]

    static func isSetConfiguration(_ seen: WatchingTap.Seen) -> Bool {
        if case .submitted(let transfer) = seen { transfer.setup?.standard == .setConfiguration } else { false }
    }

    static func isKeyboardPoll(_ seen: WatchingTap.Seen) -> Bool {
        if case .submitted(let transfer) = seen { transfer.endpoint == .keyboardIn } else { false }
    }

    @Test(arguments: cases)
    func theBIOSEnumeratesConfiguresAndPollsTheKeyboard(_ example: Case) async throws {
        let guest = try await QEMUGuest(example.controllers, speed: example.speed)
        try await guest.plug(bus: example.bus)
        try await guest.run()
        try await guest.events.first { $0 == .connected(example.speed) }
        let listing = try await guest.infoUSB { $0.contains(example.printed) }
        #expect(listing.contains("Speed \(example.printed), Product USB Redirection Device"), "\(listing)")
        try await guest.watch(Self.isSetConfiguration)
        try await guest.watch(Self.isKeyboardPoll)
        // A key goes to the guest, and the next report is asked for.
        try await guest.onLoop { ($0.firmware as? LoopbackFirmware)?.send(report: [0, 0, 4, 0, 0, 0, 0, 0]) }
        try await guest.watch {
            if case .completed(let completion) = $0 {
                completion.endpoint == .keyboardIn && completion.data.count == 8
            } else {
                false
            }
        }
        #expect(try guest.messages == "")
        try await guest.end()
    }

    @Test func aPausedVMConnectsButSaysNothingUntilItRuns() async throws {
        let guest = try await QEMUGuest(["qemu-xhci,id=xhci"], speed: .high)
        try await guest.plug(bus: "xhci.0")
        try await guest.events.first { $0 == .linkOpened }
        // QMP has answered a further command: whatever QEMU would say on plug is said.
        _ = try await guest.monitor.execute("query-status")
        #expect(try await guest.events.all == [.linkOpened])
        try await guest.run()
        let hello = try await guest.events.first { if case .helloReceived = $0 { true } else { false } }
        guard case .helloReceived(let version, let capabilities) = hello else { return }
        #expect(version.hasPrefix("qemu usb-redir guest"))
        #expect(
            capabilities == Capabilities.offeredByHost.negotiated(with: .offeredByQEMU), "\(capabilities)")
        try await guest.end()
    }

    @Test func unplugAndPlugAgainOnTheSameLink() async throws {
        let guest = try await QEMUGuest(["qemu-xhci,id=xhci"], speed: .high)
        try await guest.plug(bus: "xhci.0")
        try await guest.run()
        try await guest.watch(Self.isKeyboardPoll)
        try await guest.onLoop { $0.listener.session?.disconnectDevice() }
        var listing = try await guest.infoUSB { $0.contains(QEMUGuest.detached) }
        #expect(listing.contains(QEMUGuest.detached))
        try await guest.onLoop { $0.listener.session?.reconnectDevice() }
        listing = try await guest.infoUSB { $0.contains("480 Mb/s") }
        #expect(listing.contains("480 Mb/s"))
        // Out and in within one call, as an interface switch does it.
        try await guest.onLoop { $0.port.requestReconnect() }
        try await guest.events.first { $0 == .disconnected(.reconnecting) }
        listing = try await guest.infoUSB { $0.contains("480 Mb/s") }
        #expect(listing.contains("480 Mb/s"))
        #expect(try await guest.events.all.filter { $0 == .linkOpened }.count == 1)
        #expect(try guest.messages == "")
        try await guest.end()
    }

    @Test func aSpeedTheControllerCannotTakeIsRejectedByTheVM() async throws {
        let guest = try await QEMUGuest(["usb-ehci,id=ehci"], speed: .full)
        try await guest.plug(bus: "ehci.0")
        try await guest.run()
        try await guest.events.first { $0 == .rejected }
        #expect(try await guest.onLoop { $0.port.isConnected } == false)
        try await guest.end()
    }

    @Test func deviceDelEndsTheLinkWithoutAnError() async throws {
        let guest = try await QEMUGuest(["qemu-xhci,id=xhci"], speed: .high)
        try await guest.plug(bus: "xhci.0")
        try await guest.run()
        try await guest.watch(Self.isKeyboardPoll)
        _ = try await guest.monitor.execute("device_del", ["id": "redir"])
        let end = try await guest.events.first { if case .linkClosed = $0 { true } else { false } }
        #expect(end == .linkClosed(nil))
        #expect(try await guest.onLoop { $0.port.isConnected } == false)
        try await guest.end()
    }

    @Test func aVMThatIsPausedAndResumedKeepsItsDevice() async throws {
        let guest = try await QEMUGuest(["qemu-xhci,id=xhci"], speed: .high)
        try await guest.plug(bus: "xhci.0")
        try await guest.run()
        try await guest.watch(Self.isKeyboardPoll)
        try await guest.pause()
        try await guest.onLoop { device in
            for code in 4..<20 as Range<UInt8> {
                (device.firmware as? LoopbackFirmware)?.send(report: [0, 0, code, 0, 0, 0, 0, 0])
            }
        }
        try await guest.run()
        try await guest.watch {
            if case .completed(let completion) = $0 {
                completion.data.count > 2 && completion.data[2] == 19
            } else {
                false
            }
        }
        #expect(try await guest.onLoop { $0.port.isConnected })
        #expect(try guest.messages == "")
        try await guest.end()
    }
}
