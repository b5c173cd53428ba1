import NIOCore
import USBCore

/// CMD_SUBMIT: one URB. OUT data follows it, then the descriptors when the endpoint is isochronous.
public struct SubmitCommand: Sendable, Equatable {
    /// One counter of the importer's whole host controller: it may start anywhere, has holes, and wraps.
    public var sequenceNumber: UInt32
    /// bus number << 16 | device number.
    public var deviceID: UInt32
    /// Which way payload goes on the wire.
    public var direction: Direction
    /// 0...15.
    public var endpoint: UInt8
    public var flags: URBFlags
    /// OUT: bytes that follow. IN: bytes that the importer takes at most. Not negative once decoded.
    public var length: Int32
    public var startFrame: Int32
    /// Means something on isochronous endpoints only; elsewhere some importers leave garbage.
    public var packetCount: Int32
    /// (Micro)frames, not an exponent.
    public var interval: Int32
    /// The eight bytes of a control transfer's setup stage.
    public var setup: SetupPacket

    @inlinable public init(
        sequenceNumber: UInt32, deviceID: UInt32, direction: Direction, endpoint: UInt8, flags: URBFlags = [],
        length: Int32 = 0, startFrame: Int32 = 0, packetCount: Int32 = 0, interval: Int32 = 0,
        setup: SetupPacket = .none
    ) {
        self.sequenceNumber = sequenceNumber
        self.deviceID = deviceID
        self.direction = direction
        self.endpoint = endpoint
        self.flags = flags
        self.length = length
        self.startFrame = startFrame
        self.packetCount = packetCount
        self.interval = interval
        self.setup = setup
    }

    /// A control transfer on endpoint 0, with its direction from the setup packet as Linux takes it.
    public static func control(_ sequenceNumber: UInt32, deviceID: UInt32, _ setup: SetupPacket) -> SubmitCommand {
        SubmitCommand(
            sequenceNumber: sequenceNumber, deviceID: deviceID,
            direction: setup.length > 0 ? setup.direction : .out, endpoint: 0, length: Int32(setup.length),
            setup: setup)
    }

    @inlinable public var address: EndpointAddress { EndpointAddress(endpoint, direction) }

    /// The header only; data and descriptors are the caller's to write after it.
    public func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            URBCommand.submit.rawValue, sequenceNumber, deviceID, direction == .in ? 1 : 0 as UInt32,
            UInt32(endpoint), flags.rawValue, length, startFrame, packetCount, interval)
        buffer.writeMultipleIntegers(
            setup.requestType.rawValue, setup.request, setup.value, setup.index, setup.length, endianness: .little)
    }
}

extension SetupPacket {
    /// Eight zero bytes: no setup stage.
    @inlinable public static var none: SetupPacket { SetupPacket(requestType: RequestType(rawValue: 0), request: 0) }
}
