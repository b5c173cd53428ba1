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

    @inlinable public init(
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
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: URBHeader.length) {
            write(to: $0)
            return URBHeader.length
        }
    }

    /// The header, to at least 48 bytes.
    @inlinable public func write(to bytes: UnsafeMutableRawBufferPointer) {
        func put(_ word: Int, _ value: UInt32) {
            bytes.storeBytes(of: value.bigEndian, toByteOffset: word * 4, as: UInt32.self)
        }
        put(0, URBHeader.submitReply)
        put(1, sequenceNumber)
        for word in 2...4 { put(word, 0) }
        put(5, UInt32(bitPattern: status.rawValue))
        put(6, UInt32(bitPattern: actualLength))
        put(7, UInt32(bitPattern: startFrame))
        put(8, UInt32(bitPattern: packetCount))
        put(9, UInt32(bitPattern: errorCount))
        put(10, 0)
        put(11, 0)
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
