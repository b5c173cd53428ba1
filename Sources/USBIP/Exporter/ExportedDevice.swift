import NIOCore
import USBCore
import USBDevice
import USBIPCodec

/// A device as an exporter offers it. Everything behind `port` lives on `eventLoop`.
public struct ExportedDevice: Sendable {
    /// `1-N`, the same for as long as the device exists.
    public let busID: String
    /// What the operator calls it; an importer may ask for it by this name too.
    public let name: String
    public let busNumber: UInt16
    public let deviceNumber: UInt16
    public let eventLoop: any EventLoop
    public let port: NIOLoopBound<DevicePort>
    /// The speed that importers get it at; one that its firmware has.
    public let speed: Speed
    /// Networks that may import it, besides being allowed at the listener; empty: all of those. UNIX sockets always may.
    public let allow: [CIDR]
    let token = Token()

    public init(
        name: String, busNumber: UInt16 = 1, deviceNumber: UInt16, eventLoop: any EventLoop,
        port: NIOLoopBound<DevicePort>, speed: Speed, allow: [CIDR] = []
    ) {
        busID = "\(busNumber)-\(deviceNumber)"
        self.name = name
        self.busNumber = busNumber
        self.deviceNumber = deviceNumber
        self.eventLoop = eventLoop
        self.port = port
        self.speed = speed
        self.allow = allow
    }

    /// Whether a peer may know of it and import it.
    public func isAllowed(_ peer: SocketAddress?) -> Bool {
        guard let peer, !allow.isEmpty else { return true }
        if case .unixDomainSocket = peer { return true }
        return allow.contains { $0.contains(peer) }
    }

    var deviceID: UInt32 { UInt32(busNumber) << 16 | UInt32(deviceNumber) }
}
