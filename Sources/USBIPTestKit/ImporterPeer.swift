import NIOCore
import USBCore
import USBIPCodec

/// The importer's end of a URB stream as a value: requests in, bytes out, and back. It holds the exporter to its promises.
public struct ImporterPeer {
    public let deviceID: UInt32
    public private(set) var ledger = ImporterLedger()
    private let isochronous: Set<EndpointAddress>
    private let decoder = URBReplyDecoder()
    private var inbound = ByteBuffer()

    /// An exporter broke a promise.
    public struct Violation: Error, CustomStringConvertible {
        public var description: String

        public init(description: String) {
            self.description = description
        }
    }

    public init(
        deviceID: UInt32, isochronous: Set<EndpointAddress> = [.scriptedIsochronousIn, .scriptedIsochronousOut]
    ) {
        self.deviceID = deviceID
        self.isochronous = isochronous
    }

    public mutating func bytes(_ requests: [URBRequest]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for request in requests {
            note(request)
            request.write(to: &buffer)
        }
        return buffer
    }

    /// Registers a request that is written past this peer.
    public mutating func note(_ request: URBRequest) {
        var isIsochronous = false
        if case .submit(let command, _, _) = request { isIsochronous = isochronous.contains(command.address) }
        ledger.sent(request, isIsochronous: isIsochronous)
    }

    /// All whole replies in what has come so far.
    public mutating func receive(_ bytes: ByteBuffer) throws -> [URBReply] {
        var bytes = bytes
        inbound.writeBuffer(&bytes)
        var unread = inbound
        inbound = ByteBuffer()
        defer { inbound = unread }
        var replies: [URBReply] = []
        while let reply = try decoder.next(from: &unread, awaited: { ledger.awaited($0) }) {
            ledger.received(reply)
            if let fault = ledger.fault { throw Violation(description: fault) }
            replies.append(reply)
        }
        return replies
    }

    /// Bytes of a reply that is not whole yet.
    public var unread: Int { inbound.readableBytes }

    // MARK: Shorthands

    public func control(_ number: UInt32, _ setup: SetupPacket, data: [UInt8] = []) -> URBRequest {
        .submit(.control(number, deviceID: deviceID, setup), data: data)
    }

    public func getDescriptor(_ number: UInt32, _ type: UInt8, index: UInt8 = 0, length: UInt16) -> URBRequest {
        control(
            number,
            SetupPacket(
                requestType: RequestType(.in, .standard, .device), request: StandardRequest.getDescriptor.rawValue,
                value: UInt16(type) << 8 | UInt16(index), length: length))
    }

    public func setConfiguration(_ number: UInt32, _ value: UInt16) -> URBRequest {
        control(
            number,
            SetupPacket(
                requestType: RequestType(.out, .standard, .device), request: StandardRequest.setConfiguration.rawValue,
                value: value))
    }

    public func setInterface(_ number: UInt32, _ interface: UInt16, alternate: UInt16) -> URBRequest {
        control(
            number,
            SetupPacket(
                requestType: RequestType(.out, .standard, .interface), request: StandardRequest.setInterface.rawValue,
                value: alternate, index: interface))
    }

    public func `in`(_ number: UInt32, _ endpoint: UInt8 = 1, length: Int32, flags: URBFlags = []) -> URBRequest {
        .submit(
            SubmitCommand(
                sequenceNumber: number, deviceID: deviceID, direction: .in, endpoint: endpoint, flags: flags,
                length: length))
    }

    public func out(_ number: UInt32, _ endpoint: UInt8 = 1, _ data: [UInt8], flags: URBFlags = []) -> URBRequest {
        .submit(
            SubmitCommand(
                sequenceNumber: number, deviceID: deviceID, direction: .out, endpoint: endpoint, flags: flags,
                length: Int32(data.count)), data: data)
    }

    public func unlink(_ number: UInt32, _ target: UInt32) -> URBRequest {
        .unlink(UnlinkCommand(sequenceNumber: number, deviceID: deviceID, target: target))
    }
}
