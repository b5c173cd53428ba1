import NIOCore

/// CMD_UNLINK: take a URB back. It has a sequence number of its own, which the reply carries.
public struct UnlinkCommand: Sendable, Equatable {
    public var sequenceNumber: UInt32
    public var deviceID: UInt32
    /// The URB to take back.
    public var target: UInt32

    @inlinable public init(sequenceNumber: UInt32, deviceID: UInt32, target: UInt32) {
        self.sequenceNumber = sequenceNumber
        self.deviceID = deviceID
        self.target = target
    }

    public func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            URBCommand.unlink.rawValue, sequenceNumber, deviceID, 0 as UInt32, 0 as UInt32, target)
        buffer.writeRepeatingByte(0, count: 24)
    }
}
