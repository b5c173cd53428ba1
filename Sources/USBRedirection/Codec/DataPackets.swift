/// control_packet. Requests carry data for OUT, replies for IN; `length` is what is asked or what was moved.
public struct ControlPacket: Sendable, Equatable {
    /// 0x00 or 0x80, by direction of the data stage.
    public var endpoint: UInt8
    public var request: UInt8
    public var requestType: UInt8
    public var status: PacketStatus
    public var value: UInt16
    public var index: UInt16
    public var length: UInt16
    public var data: [UInt8]

    public init(
        endpoint: UInt8, request: UInt8, requestType: UInt8, status: PacketStatus = .success, value: UInt16,
        index: UInt16, length: UInt16, data: [UInt8] = []
    ) {
        self.endpoint = endpoint
        self.request = request
        self.requestType = requestType
        self.status = status
        self.value = value
        self.index = index
        self.length = length
        self.data = data
    }
}

/// bulk_packet. `length` is 16 bits wide unless 32bits_bulk_length is in force.
public struct BulkPacket: Sendable, Equatable {
    public var endpoint: UInt8
    public var status: PacketStatus
    public var length: UInt32
    public var stream: UInt32
    public var data: [UInt8]

    public init(
        endpoint: UInt8, status: PacketStatus = .success, length: UInt32, stream: UInt32 = 0, data: [UInt8] = []
    ) {
        self.endpoint = endpoint
        self.status = status
        self.length = length
        self.stream = stream
        self.data = data
    }
}

/// iso_packet and interrupt_packet, which look alike.
public struct DataPacket: Sendable, Equatable {
    public var endpoint: UInt8
    public var status: PacketStatus
    public var length: UInt16
    public var data: [UInt8]

    public init(endpoint: UInt8, status: PacketStatus = .success, length: UInt16, data: [UInt8] = []) {
        self.endpoint = endpoint
        self.status = status
        self.length = length
        self.data = data
    }
}

/// buffered_bulk_packet: pushed bulk input, from host to guest only.
public struct BufferedBulkPacket: Sendable, Equatable {
    public var stream: UInt32
    public var length: UInt32
    public var endpoint: UInt8
    public var status: PacketStatus
    public var data: [UInt8]

    public init(stream: UInt32 = 0, length: UInt32, endpoint: UInt8, status: PacketStatus = .success, data: [UInt8]) {
        self.stream = stream
        self.length = length
        self.endpoint = endpoint
        self.status = status
        self.data = data
    }
}
