/// The control requests of the Web Service interface: vendor type, interface recipient.
struct VendorRequest: Equatable {
    var requestType: UInt8
    var code: UInt8
    var value: UInt16
    var index: UInt16
    var length: UInt16

    /// Asks for protocol version, flags and the suggested OUT transfer size.
    static func hello(interface: Int) -> VendorRequest {
        VendorRequest(requestType: 0xC1, code: 0x00, value: 0, index: UInt16(truncatingIfNeeded: interface), length: 8)
    }

    /// Starts a fresh HTTP/2 session: the firmware forgets the old one and its buffered bytes.
    static func open(interface: Int) -> VendorRequest { command(0x01, interface: interface) }

    /// Ends the session.
    static func close(interface: Int) -> VendorRequest { command(0x02, interface: interface) }

    /// Asks the host to unplug the device, or only to take the interface away.
    static func release(interface: Int, wholeDevice: Bool) -> VendorRequest {
        command(0x03, interface: interface, value: wholeDevice ? 0 : 1)
    }

    /// Asks for the services behind the interface, `(description NUL path NUL)*`.
    static func services(interface: Int) -> VendorRequest {
        VendorRequest(
            requestType: 0xC1, code: 0x04, value: 0, index: UInt16(truncatingIfNeeded: interface), length: 4096)
    }

    private static func command(_ code: UInt8, interface: Int, value: UInt16 = 0) -> VendorRequest {
        VendorRequest(
            requestType: 0x41, code: code, value: value, index: UInt16(truncatingIfNeeded: interface), length: 0)
    }
}

/// The answer to HELLO, little endian.
struct HelloReply: Equatable {
    var version: UInt16
    var flags: UInt16
    var maximumOutTransfer: UInt32

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8 else { return nil }
        version = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
        flags = UInt16(bytes[2]) | UInt16(bytes[3]) << 8
        maximumOutTransfer = bytes[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    var isSupported: Bool { version >> 8 == 1 }

    /// The interface's own name is a byte service.
    var isByteService: Bool { flags & 1 != 0 }

    /// The interface is a directory of services, and none itself.
    var isDirectory: Bool { flags & 2 != 0 }

    /// The OUT transfer size to use, at most `limit`, in whole packets when the suggestion allows one.
    func outTransferSize(limit: Int, packet: Int) -> Int {
        guard maximumOutTransfer > 0 else { return limit }
        let size = min(limit, Int(maximumOutTransfer))
        return size >= packet && packet > 0 ? size / packet * packet : min(limit, max(size, 1))
    }
}
