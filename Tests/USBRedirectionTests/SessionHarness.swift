import Logging
import NIOCore
import NIOEmbedded
import RedirectionTestKit
import Testing
import USBCore
import USBDevice
import USBRedirection

/// A session with a loopback device on one end and a scripted guest on the other, without a socket.
final class SessionHarness {
    let firmware: LoopbackFirmware
    let port: DevicePort
    let channel = EmbeddedChannel()
    let session: RedirectionSession
    private(set) var guest: GuestPeer
    private final class Events { var all: [RedirectionEvent] = [] }
    private let eventLog = Events()
    var events: [RedirectionEvent] { eventLog.all }
    private(set) var writes = 0

    init(
        offering: Capabilities = .offeredByQEMU, speed: Speed = .high, speeds: Set<Speed> = Set(Speed.allCases),
        pipelinesBulkIn: Bool = true, limits: RedirectionLimits = RedirectionLimits()
    ) throws {
        firmware = LoopbackFirmware(speeds: speeds)
        port = DevicePort(firmware: firmware)
        guest = GuestPeer(offering: offering)
        let log = eventLog
        session = RedirectionSession(
            port: port, speed: speed, pipelinesBulkIn: pipelinesBulkIn, limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { log.all.append($0) }
        try channel.pipeline.syncOperations.addHandler(session)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    /// A harness whose device is connected, its announcement consumed; with `configured` the guest has set it up.
    static func connected(
        offering: Capabilities = .offeredByQEMU, speed: Speed = .high, configured: Bool = true,
        limits: RedirectionLimits = RedirectionLimits()
    ) throws -> SessionHarness {
        let harness = try SessionHarness(offering: offering, speed: speed, limits: limits)
        try harness.sayHello()
        _ = try harness.receive()
        if configured { _ = try harness.exchange(Message(0xC0, .setConfiguration(1))) }
        harness.advance(.seconds(1))
        return harness
    }

    func sayHello() throws { try channel.writeInbound(guest.hello()) }

    /// Sends all in one read of the session.
    func send(_ messages: Message...) throws { try channel.writeInbound(guest.bytes(messages)) }
    func send(raw bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    /// What has come from the session, the loop's due tasks done.
    func receive() throws -> [Message] {
        channel.embeddedEventLoop.run()
        var messages: [Message] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            writes += 1
            messages += try guest.receive(bytes)
        }
        return messages
    }

    func exchange(_ messages: Message...) throws -> [Message] {
        try channel.writeInbound(guest.bytes(messages))
        return try receive()
    }

    func advance(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    /// As when QEMU stops or starts to read.
    func setWritable(_ writable: Bool) {
        channel.isWritable = writable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func resetWriteCount() { writes = 0 }

    // MARK: Shorthands

    static func bulkIn(_ id: UInt64, _ length: UInt32, stream: UInt32 = 0) -> Message {
        Message(id, .bulkPacket(BulkPacket(endpoint: 0x81, length: length, stream: stream)))
    }

    static func bulkOut(_ id: UInt64, _ data: [UInt8]) -> Message {
        Message(id, .bulkPacket(BulkPacket(endpoint: 0x01, length: UInt32(data.count), data: data)))
    }

    static func bulkReply(
        _ id: UInt64, _ endpoint: UInt8, _ status: PacketStatus = .success, length: UInt32 = 0, _ data: [UInt8] = []
    ) -> Message {
        Message(id, .bulkPacket(BulkPacket(endpoint: endpoint, status: status, length: length, data: data)))
    }

    static func cancel(_ id: UInt64) -> Message { Message(id, .cancelDataPacket) }
}
