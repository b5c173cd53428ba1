import Logging
import NIOCore
import NIOEmbedded
import USBCore
import USBDevice
import USBRedirection

/// One fuzz input played to a session with a loopback device, and the promises that must hold whatever it says.
///
/// Byte 0 chooses the device's behaviour and the guest's capabilities; with bit 7, the rest follows a hello, otherwise
/// the input has to say its own. After each chunk a byte steers the host side: completions, writability, reconnects.
/// `Tests/Fixtures/usbredir-corpus` holds the seeds.
public enum RedirectionFuzz {
    /// - Returns: what was violated, nil when all is well.
    public static func run(_ input: some Collection<UInt8>) -> String? {
        guard let first = input.first else { return nil }
        let run = FuzzRun(mode: first)
        return run.play(Array(input.dropFirst()))
    }
}

/// Counts requests in and replies out by walking the streams beside the session.
private final class FuzzRun {
    private let mode: UInt8
    private let firmware = LoopbackFirmware()
    private let port: DevicePort
    private let channel = EmbeddedChannel()
    private let session: RedirectionSession
    private var guest: GuestPeer
    private let ledger = FuzzLedger()
    private var events = EventCount()

    private final class EventCount {
        var closed = 0
        var opened = 0
        var late = false
    }

    init(mode: UInt8) {
        self.mode = mode
        let port = DevicePort(firmware: firmware)
        self.port = port
        let offers: [Capabilities] = [
            .offeredByQEMU, Capabilities.offeredByQEMU.subtracting(.deviceDisconnectAck), [.filter], [],
        ]
        guest = GuestPeer(offering: offers[Int(mode & 3)])
        firmware.sourceFill = mode & 4 != 0 ? 0xA5 : nil
        firmware.holdsOut = mode & 8 != 0
        let events = events
        session = RedirectionSession(
            port: port, speed: mode & 16 != 0 ? .super : .high,
            limits: RedirectionLimits(
                packets: PacketLimits(maximumTransferLength: 64 << 10), maximumPendingBytes: 256 << 10,
                writeBatch: 4096),
            logger: quietLogger
        ) { event in
            if events.closed > 0 { events.late = true }
            switch event {
            case .linkOpened: events.opened += 1
            case .linkClosed: events.closed += 1
            default: break
            }
        }
        ledger.guestID = { [unowned session] in session.guestID(of: $0) }
        port.tap = ledger
    }

    func play(_ input: [UInt8]) -> String? {
        do {
            try channel.pipeline.syncOperations.addHandler(session)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
            try drain()
            if mode & 0x80 != 0 {
                try channel.writeInbound(guest.hello())
                try drain()
                try channel.writeInbound(guest.bytes([Message(1, .setConfiguration(1))]))
            }
            var rest = input[...]
            while !rest.isEmpty, channel.isActive {
                // With bit 6 the input is cut into pieces with a steering byte before each.
                var size = rest.count
                if mode & 0x40 != 0, let steer = rest.popFirst() {
                    self.steer(steer)
                    size = min(rest.count, Int(steer & 0x3F) + 1)
                }
                try channel.writeInbound(ByteBuffer(bytes: rest.prefix(size)))
                rest = rest.dropFirst(size)
                try drain()
                if let fault = check() { return fault }
            }
            setWritable(true)
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try drain()
            if let fault = check() { return fault }
            if channel.isActive { _ = try channel.finish() }
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        } catch {
            return "a session threw into its channel, or sent what its guest cannot read: \(error)"
        }
        if port.pendingCount != 0 { return "\(port.pendingCount) transfers left after the link" }
        if port.isConnected { return "the device is still connected after the link" }
        if events.opened != 1 || events.closed != 1 {
            return "\(events.opened) opened and \(events.closed) closed events"
        }
        if events.late { return "an event after linkClosed" }
        return ledger.faultAtEnd
    }

    private func steer(_ byte: UInt8) {
        switch byte >> 6 {
        case 0: firmware.complete(.bulkIn, byte & 1 == 0 ? .success : .stall, data: [byte])
        case 1: firmware.complete(.bulkOut, .success, taken: 1)
        case 2: setWritable(byte & 1 == 0)
        default:
            switch byte & 7 {
            case 0: port.requestReconnect()
            case 1: session.disconnectDevice()
            case 2: session.reconnectDevice()
            case 3: firmware.halt(.keyboardIn)
            case 4: firmware.halt(.bulkIn)
            case 5: channel.embeddedEventLoop.advanceTime(by: .milliseconds(60))
            default: firmware.send(report: [byte, 1, 2, 3, 4, 5, 6, 7])
            }
        }
    }

    private func setWritable(_ writable: Bool) {
        channel.isWritable = writable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    /// Every reply must be readable in the negotiated form, and answer a data request that is open, once.
    private func drain() throws {
        channel.embeddedEventLoop.run()
        // The input's own hello may offer anything.
        if guest.capabilities != nil, let inForce = session.capabilities { guest.adopt(inForce) }
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            for message in try guest.receive(bytes) {
                ledger.replied(message)
            }
        }
    }

    private func check() -> String? {
        if let fault = ledger.fault { return fault }
        // With the link up, what the guest's transfers await is exactly what the device still has.
        guard channel.isActive else { return nil }
        if ledger.owedReplies != 0 { return "\(ledger.owedReplies) replies were not sent" }
        return ledger.openTransfers == port.pendingCount
            ? nil : "\(ledger.openTransfers) transfers open, \(port.pendingCount) pending in the device"
    }
}

private let quietLogger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
