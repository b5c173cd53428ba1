import Logging
import NIOCore
import NIOEmbedded
import RedirectionTestKit
import SimulatedFirmware
import Testing
import USBCore
import USBDevice
import USBRedirection

/// A session between a scripted guest and a device with isochronous endpoints, which runs in the channel's own time.
final class IsochronousHarness {
    let function = StreamFunction()
    let device: SimulatedDevice
    let port: DevicePort
    let channel = EmbeddedChannel()
    let session: RedirectionSession
    private var guest = GuestPeer()

    /// Connected and configured, with alternate setting 1 in force.
    init(speed: Speed = .high, hasClock: Bool = true) throws {
        device = try SimulatedDevice(
            identity: DeviceIdentity(product: "stream", serialNumber: "1"), functions: [function])
        if hasClock { device.frameClock = EventLoopFrameClock(channel.embeddedEventLoop) }
        port = DevicePort(firmware: device)
        session = RedirectionSession(
            port: port, speed: speed, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { _ in }
        try channel.pipeline.syncOperations.addHandler(session)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try channel.writeInbound(guest.hello())
        _ = try receive()
        _ = try exchange(Message(1, .setConfiguration(1)))
        announced = try exchange(Message(2, .setAlternateSetting(interface: 0, alternate: 1)))
    }

    /// What came with the alternate setting.
    private(set) var announced: [Message] = []

    func exchange(_ messages: Message...) throws -> [Message] {
        try channel.writeInbound(guest.bytes(messages))
        return try receive()
    }

    func receive() throws -> [Message] {
        channel.embeddedEventLoop.run()
        var messages: [Message] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { messages += try guest.receive(bytes) }
        return messages
    }

    /// What came while the time passed.
    func advance(_ milliseconds: Int64) throws -> [Message] {
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(milliseconds))
        return try receive()
    }

    /// As when QEMU stops or starts to read.
    func setWritable(_ writable: Bool) {
        channel.isWritable = writable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func start(_ endpoint: UInt8, packets: UInt8 = 2, urbs: UInt8 = 4, id: UInt64 = 7) throws -> [Message] {
        try exchange(Message(id, .startIsochronousStream(endpoint: endpoint, packetsPerURB: packets, urbs: urbs)))
    }

    static func status(_ id: UInt64, _ status: PacketStatus, _ endpoint: UInt8) -> Message {
        Message(id, .isochronousStreamStatus(status, endpoint: endpoint))
    }

    static func packet(_ id: UInt64, _ endpoint: UInt8, _ data: [UInt8], _ status: PacketStatus = .success) -> Message {
        Message(
            id,
            .isochronousPacket(
                DataPacket(endpoint: endpoint, status: status, length: UInt16(data.count), data: data)))
    }
}

/// Isochronous IN 81, whose packets carry their number, and OUT 01, each of a millisecond and 96 bytes; bulk IN 82.
final class StreamFunction: Function {
    let name = "stream"
    let kind = "test"
    let backend = "test"
    private(set) var context: (any FunctionContext)?
    var packet: (Int) -> [UInt8] = { [UInt8(truncatingIfNeeded: $0)] }
    private(set) var received: [[UInt8]] = []

    func declaration(at speed: Speed) -> FunctionDeclaration {
        let code = ClassCode(0xFF, 0, 0)
        return FunctionDeclaration(
            classCode: code,
            interfaces: [
                InterfaceDeclaration(
                    classCode: code,
                    alternates: [
                        AlternateDeclaration(endpoints: []),
                        AlternateDeclaration(endpoints: [
                            EndpointDeclaration("in", .in, .isochronous, maxPacketSize: 96, intervalMilliseconds: 1),
                            EndpointDeclaration("out", .out, .isochronous, maxPacketSize: 96, intervalMilliseconds: 1),
                            EndpointDeclaration("bulk", .in, .bulk),
                        ]),
                    ])
            ])
    }

    func attach(_ context: any FunctionContext) { self.context = context }
    func activate() {}
    func deactivate() {}
    func endpointReady(_ endpoint: EndpointKey) {}
    func isochronousPacket(_ endpoint: EndpointKey, interval: Int, length: Int) -> [UInt8] { packet(interval) }
    func isochronousReceived(_ endpoint: EndpointKey, interval: Int, _ bytes: [UInt8]) { received.append(bytes) }
}
