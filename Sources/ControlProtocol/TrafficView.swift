/// What a traffic pane shows of one device or one of its interfaces.
public struct TrafficView: Codable, Sendable, Equatable {
    public var device: String
    /// nil: the whole device with endpoint 0.
    public var interface: String?
    /// Seconds that one rate sample covers.
    public var sampleSeconds: Double
    /// Oldest first; at most 240.
    public var samples: [RateSample]
    public var counters: Counters
    /// Newest last; only rows newer than the last view of this subscription.
    public var transfers: [TransferRow]
    /// Rows in the ring now, and how many fell out since the device was created.
    public var ringCount: Int
    public var ringDropped: UInt64

    public init(
        device: String, interface: String? = nil, sampleSeconds: Double = 0.5, samples: [RateSample] = [],
        counters: Counters = Counters(), transfers: [TransferRow] = [], ringCount: Int = 0, ringDropped: UInt64 = 0
    ) {
        self.device = device
        self.interface = interface
        self.sampleSeconds = sampleSeconds
        self.samples = samples
        self.counters = counters
        self.transfers = transfers
        self.ringCount = ringCount
        self.ringDropped = ringDropped
    }
}

/// Payload bytes and completed transfers in one sampling interval.
public struct RateSample: Codable, Sendable, Equatable {
    public var bytesIn: UInt64
    public var bytesOut: UInt64
    public var transfers: UInt32

    public init(bytesIn: UInt64, bytesOut: UInt64, transfers: UInt32) {
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.transfers = transfers
    }
}

/// One completed transfer of the live list.
public struct TransferRow: Codable, Sendable, Equatable, Identifiable {
    public var id: UInt64 { sequence }
    /// Grows by one per completed transfer of the device.
    public var sequence: UInt64
    /// Submission: seconds since 1970-01-01 UTC.
    public var time: Double
    /// Microseconds from submission to completion.
    public var latency: Double
    /// bEndpointAddress; endpoint 0 carries the direction of its data stage.
    public var endpoint: UInt8
    /// `control`, `isochronous`, `bulk`, `interrupt`.
    public var type: String
    /// The interface it belongs to; nil for endpoint 0 and gone interfaces.
    public var interface: String?
    /// Bytes asked for or sent.
    public var length: Int
    /// Bytes that passed.
    public var actual: Int
    /// `ok`, `stall`, `cancelled`, `babble`, …
    public var status: String
    /// The 8 setup bytes of a control transfer.
    public var setup: [UInt8]?
    /// The first bytes of the payload, at most 64.
    public var head: [UInt8]
    /// One line of meaning: `GET_DESCRIPTOR device`, `SET_LINE_CODING 115200 8N1`, `HTTP/2 DATA stream 5 16384 B`.
    public var decode: String

    public init(
        sequence: UInt64, time: Double, latency: Double, endpoint: UInt8, type: String, interface: String? = nil,
        length: Int, actual: Int, status: String, setup: [UInt8]? = nil, head: [UInt8] = [], decode: String = ""
    ) {
        self.sequence = sequence
        self.time = time
        self.latency = latency
        self.endpoint = endpoint
        self.type = type
        self.interface = interface
        self.length = length
        self.actual = actual
        self.status = status
        self.setup = setup
        self.head = head
        self.decode = decode
    }
}
