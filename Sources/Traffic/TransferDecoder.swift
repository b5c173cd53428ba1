import USBCore
import USBDevice

/// What is kept of a completed transfer, for saying in one line what it means.
public struct TransferSummary: Sendable, Equatable {
    public var endpoint: EndpointAddress
    public var type: TransferType
    /// Class of the USB interface that the endpoint, or the request's wIndex, belongs to; nil when unknown.
    public var classCode: ClassCode?
    /// The operator's name of that interface.
    public var interface: String?
    public var setup: SetupPacket?
    /// Bytes asked for or sent.
    public var length: Int
    /// Bytes that passed.
    public var actual: Int
    public var status: TransferStatus
    /// The first bytes of the payload, at most 64.
    public var head: [UInt8]

    public var direction: Direction { endpoint.direction }

    public init(
        endpoint: EndpointAddress, type: TransferType, classCode: ClassCode? = nil, interface: String? = nil,
        setup: SetupPacket? = nil, length: Int, actual: Int, status: TransferStatus, head: [UInt8] = []
    ) {
        self.endpoint = endpoint
        self.type = type
        self.classCode = classCode
        self.interface = interface
        self.setup = setup
        self.length = length
        self.actual = actual
        self.status = status
        self.head = head
    }
}

/// Says what a transfer means; asked only for rows that somebody reads.
public protocol TransferDecoder {
    /// One line without control characters; empty when there is nothing to say.
    func line(for transfer: TransferSummary) -> String
}
