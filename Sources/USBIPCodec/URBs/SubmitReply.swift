import NIOCore

/// RET_SUBMIT: a URB has ended. `actualLength` bytes follow for IN, then the descriptors of an isochronous URB.
public struct SubmitReply: Sendable, Equatable {
    public var sequenceNumber: UInt32
    public var status: URBStatus
    /// IN: bytes that follow. OUT: bytes taken.
    public var actualLength: Int32
    /// Frame that an isochronous URB began in; else 0.
    public var startFrame: Int32
    /// As in the request for isochronous endpoints; else 0.
    public var packetCount: Int32
    /// Isochronous packets that failed.
    public var errorCount: Int32

    public init(
        sequenceNumber: UInt32, status: URBStatus, actualLength: Int32 = 0, startFrame: Int32 = 0,
        packetCount: Int32 = 0, errorCount: Int32 = 0
    ) {
        self.sequenceNumber = sequenceNumber
        self.status = status
        self.actualLength = actualLength
        self.startFrame = startFrame
        self.packetCount = packetCount
        self.errorCount = errorCount
    }

    /// The header only; devid, direction and ep stay zero, as Linux leaves them.
    public func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            URBCommand.submitReply.rawValue, sequenceNumber, 0 as UInt64, 0 as UInt32, status.rawValue, actualLength,
            startFrame, packetCount, errorCount, 0 as UInt64)
    }
}

/// RET_UNLINK: the one answer to a CMD_UNLINK, under its own sequence number.
public struct UnlinkReply: Sendable, Equatable {
    public var sequenceNumber: UInt32
    /// `unlinked`: the URB was taken back and gets no other answer. `success`: it has been answered before.
    public var status: URBStatus

    public init(sequenceNumber: UInt32, status: URBStatus) {
        self.sequenceNumber = sequenceNumber
        self.status = status
    }

    public func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            URBCommand.unlinkReply.rawValue, sequenceNumber, 0 as UInt64, 0 as UInt32, status.rawValue, 0 as UInt64,
            0 as UInt64, 0 as UInt64)
    }
}
