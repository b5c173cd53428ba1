import Logging
import NIOCore
import NIOEmbedded
import USBCore
import USBDevice
import USBIP
import USBIPCodec

/// One fuzz input played to a session with a scripted device, and the promises that must hold whatever it says.
///
/// Byte 0 chooses behaviour: bit 7 configures the device first, bit 6 cuts the input into pieces with a steering byte
/// before each, bit 5 lets sequence numbers repeat (replies cannot be told apart then), bits 0 to 3 are the device's.
/// `Tests/Fixtures/usbip-corpus` holds the seeds.
public enum SessionFuzz {
    /// - Returns: what was violated, nil when all is well.
    public static func run(_ input: some Collection<UInt8>) -> String? {
        guard let first = input.first else { return nil }
        return SessionFuzzRun(mode: first).play(Array(input.dropFirst()))
    }
}

private final class SessionFuzzRun {
    private static let limits = SessionLimits(
        codec: USBIPLimits(maximumTransferLength: 64 << 10), maximumPendingURBs: 64, maximumPendingBytes: 256 << 10,
        writeBatch: 4096)
    private static let deviceID: UInt32 = 0x0001_0001
    private static let isochronous: Set<EndpointAddress> = [.scriptedIsochronousIn, .scriptedIsochronousOut]

    private let mode: UInt8
    private let firmware = ScriptedFirmware()
    private let port: DevicePort
    private let channel = EmbeddedChannel()
    private let session: USBIPSession
    private let transfers = TransferLedger()
    private var peer = ImporterPeer(deviceID: SessionFuzzRun.deviceID)
    private var allIsSent = false
    private let ends = Ends()

    private final class Ends { var all: [SessionEnd] = [] }

    init(mode: UInt8) {
        self.mode = mode
        port = DevicePort(firmware: firmware)
        firmware.sourceFill = mode & 1 != 0 ? 0xA5 : nil
        firmware.takesOut = mode & 2 != 0
        firmware.holdsControl = mode & 4 != 0
        // More than any request asks for.
        firmware.controlAnswer = { _, _ in mode & 8 != 0 ? [UInt8](repeating: 7, count: 300) : nil }
        let ends = ends
        session = USBIPSession(
            port: port, deviceID: Self.deviceID, speed: mode & 16 != 0 ? .super : .high, limits: Self.limits,
            firstRequestTimeLimit: .seconds(30), logger: quietLogger
        ) { ends.all.append($0) }
        port.tap = transfers
    }

    private var mayRepeat: Bool { mode & 0x20 != 0 }

    func play(_ input: [UInt8]) -> String? {
        do {
            try session.connectDevice()
            try channel.pipeline.syncOperations.addHandler(session)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
            if mode & 0x80 != 0 {
                firmware.holdsControl = false
                try channel.writeInbound(peer.bytes([peer.setConfiguration(0xFFFF_FF00, 1)]))
                try channel.writeInbound(peer.bytes([peer.setInterface(0xFFFF_FF01, 1, alternate: 1)]))
                firmware.holdsControl = mode & 4 != 0
            }
            for (steering, bytes) in pieces(input) where channel.isActive {
                if let steering { steer(steering) }
                if !bytes.isEmpty { try channel.writeInbound(ByteBuffer(bytes: bytes)) }
                if let fault = try check() { return fault }
            }
            setWritable(true)
            allIsSent = true
            if let fault = try check() { return fault }
            if channel.isActive { _ = try channel.finish(acceptAlreadyClosed: true) }
            channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        } catch {
            return "a session threw into its channel, or sent what its importer cannot read: \(error)"
        }
        if port.pendingCount != 0 || session.pendingCount != 0 { return "transfers are left after the session" }
        if port.isConnected { return "the device is still connected after the session" }
        if ends.all.count != 1 { return "\(ends.all.count) ends" }
        if transfers.openTransfers != 0 { return "\(transfers.openTransfers) transfers never completed" }
        return transfers.fault
    }

    /// Steering bytes and what follows them, up to the first sequence number that comes twice.
    private func pieces(_ input: [UInt8]) -> [(UInt8?, ArraySlice<UInt8>)] {
        var pieces: [(UInt8?, ArraySlice<UInt8>)] = []
        var stream = ByteBuffer()
        if mode & 0x40 != 0 {
            var rest = input[...]
            while let steering = rest.popFirst() {
                let size = min(rest.count, Int(steering & 0x3F) + 1)
                pieces.append((steering, rest.prefix(size)))
                stream.writeBytes(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
        } else {
            pieces = [(nil, input[...])]
            stream.writeBytes(input)
        }
        guard !mayRepeat else { return pieces }
        var allowed = understood(stream)
        return pieces.map { piece in
            let bytes = piece.1.prefix(allowed)
            allowed -= bytes.count
            return (piece.0, bytes)
        }
    }

    /// Tells the peer what the stream asks.
    ///
    /// - Returns: how much of it may be sent: up to a repeated number.
    private func understood(_ stream: ByteBuffer) -> Int {
        var decoder = URBRequestDecoder(limits: Self.limits.codec)
        var rest = stream
        var seen: Set<UInt32> = [0xFFFF_FF00, 0xFFFF_FF01]
        while true {
            let start = rest.readerIndex
            guard
                let request = try? decoder.next(from: &rest, isIsochronous: { Self.isochronous.contains($0) })
            else { return stream.readableBytes }
            let number =
                switch request {
                case .submit(let command, _, _): command.sequenceNumber
                case .unlink(let command): command.sequenceNumber
                }
            guard seen.insert(number).inserted else { return start }
            peer.note(request)
        }
    }

    private func steer(_ byte: UInt8) {
        let isochronous = firmware.parked(.scriptedIsochronousIn).first?.packets ?? []
        switch byte >> 6 {
        case 0: firmware.complete(.scriptedBulkIn, byte & 1 == 0 ? .success : .stall, data: [byte, byte])
        case 1: firmware.complete(.scriptedBulkOut, .success, taken: Int(byte))
        case 2: setWritable(byte & 1 == 0)
        default:
            switch byte & 7 {
            case 0: port.requestReconnect()
            case 1: session.release("fuzz")
            case 2: firmware.complete(.scriptedInterrupt, .success, data: Array(repeating: byte, count: 16))
            case 3: firmware.halt(.scriptedBulkIn)
            case 4:
                let packets = isochronous.map {
                    IsochronousPacket(offset: $0.offset, length: $0.length, actualLength: min(1, $0.length))
                }
                firmware.complete(
                    .scriptedIsochronousIn, .success,
                    data: Array(repeating: 1, count: byte & 8 == 0 ? packets.count : 3),
                    packets: packets)
            case 5: firmware.complete(.scriptedIsochronousOut, .success, taken: 1)
            case 6:
                firmware.complete(.controlIn, .success, data: [1, 2, 3])
                firmware.complete(.controlOut, .success, taken: 3)
            default: port.disconnect()
            }
        }
    }

    private func setWritable(_ writable: Bool) {
        guard channel.isWritable != writable else { return }
        channel.isWritable = writable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    private func check() throws -> String? {
        channel.embeddedEventLoop.run()
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            if !mayRepeat { _ = try peer.receive(bytes) }
        }
        if let fault = transfers.fault { return fault }
        guard channel.isActive else { return nil }
        if transfers.openTransfers != port.pendingCount || port.pendingCount != session.pendingCount {
            return "\(transfers.openTransfers) transfers open, \(port.pendingCount) pending in the device, "
                + "\(session.pendingCount) in the session"
        }
        // With all requests read, the importer awaits exactly what the device has.
        guard !mayRepeat, channel.isWritable, allIsSent, session.unreadBytes == 0 else { return nil }
        if peer.ledger.openUnlinks != 0 { return "\(peer.ledger.openUnlinks) unlinks without an answer" }
        return peer.ledger.openURBs == session.pendingCount
            ? nil : "\(peer.ledger.openURBs) URBs await an answer, the session has \(session.pendingCount)"
    }
}

let quietLogger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
