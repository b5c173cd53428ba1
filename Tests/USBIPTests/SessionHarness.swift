import NIOCore
import NIOEmbedded
import Testing
import USBCore
import USBDevice
import USBIP
import USBIPCodec
import USBIPTestKit

/// A session with a scripted device on one end and an importer on the other, without a socket.
final class SessionHarness {
    static let deviceID: UInt32 = 0x0001_0002

    let firmware: ScriptedFirmware
    let port: DevicePort
    let channel = EmbeddedChannel()
    let session: USBIPSession
    var peer = ImporterPeer(deviceID: SessionHarness.deviceID)
    private final class Ends { var all: [SessionEnd] = [] }
    private let ends = Ends()
    var ended: [SessionEnd] { ends.all }
    private(set) var writes = 0

    /// - Parameter configured: the importer has set the configuration and alternate setting 1 of interface 1.
    init(
        configured: Bool = true, speed: Speed = .high, limits: SessionLimits = SessionLimits(),
        firstRequestTimeLimit: TimeAmount? = nil, firmware: ScriptedFirmware = ScriptedFirmware(),
        port: DevicePort? = nil
    ) throws {
        self.firmware = firmware
        self.port = port ?? DevicePort(firmware: firmware)
        let log = ends
        session = USBIPSession(
            port: self.port, deviceID: Self.deviceID, speed: speed, limits: limits,
            firstRequestTimeLimit: firstRequestTimeLimit, logger: quietLogger
        ) { log.all.append($0) }
        try session.connectDevice()
        try channel.pipeline.syncOperations.addHandler(session)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        if configured {
            _ = try exchange(peer.setConfiguration(0xF000_0000, 1), peer.setInterface(0xF000_0001, 1, alternate: 1))
        }
        writes = 0
    }

    /// Sends all in one read of the session.
    func send(_ requests: URBRequest...) throws { try channel.writeInbound(peer.bytes(requests)) }

    func send(raw bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    /// What has come from the session, the loop's due tasks done.
    func receive() throws -> [URBReply] {
        channel.embeddedEventLoop.run()
        var replies: [URBReply] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            writes += 1
            replies += try peer.receive(bytes)
        }
        return replies
    }

    func receiveRaw() throws -> [UInt8] {
        channel.embeddedEventLoop.run()
        var all: [UInt8] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { all += bytes.readableBytesView }
        return all
    }

    func exchange(_ requests: URBRequest...) throws -> [URBReply] {
        try channel.writeInbound(peer.bytes(requests))
        return try receive()
    }

    /// Takes bytes that break the protocol.
    ///
    /// - Returns: why the session ended.
    func refusal(of bytes: [UInt8]) throws -> USBIPError? {
        try send(raw: bytes)
        channel.embeddedEventLoop.run()
        guard case .refused(let error)? = session.end else { return nil }
        #expect(!channel.isActive)
        #expect(!port.isConnected)
        return error
    }

    /// As when the importer stops or starts to read.
    func setWritable(_ writable: Bool) {
        channel.isWritable = writable
        channel.pipeline.fireChannelWritabilityChanged()
    }
}

func reply(_ number: UInt32, _ status: URBStatus = .success, _ data: [UInt8] = []) -> URBReply {
    .submit(
        SubmitReply(sequenceNumber: number, status: status, actualLength: Int32(data.count)),
        data: ByteBuffer(bytes: data))
}

/// The answer to an OUT URB.
func taken(_ number: UInt32, _ status: URBStatus = .success, _ count: Int32) -> URBReply {
    .submit(SubmitReply(sequenceNumber: number, status: status, actualLength: count))
}

func unlinked(_ number: UInt32, _ status: URBStatus) -> URBReply {
    .unlink(UnlinkReply(sequenceNumber: number, status: status))
}

extension [URBRequest] {
    var bytes: [UInt8] {
        var buffer = ByteBuffer()
        for request in self { request.write(to: &buffer) }
        return [UInt8](buffer.readableBytesView)
    }
}
