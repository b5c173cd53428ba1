import Glibc
import USBIPCodec

/// Brings devices of an exporter into this guest.
public struct Attacher: Sendable {
    /// A device that hangs on a port.
    public struct Attachment: Equatable, Sendable {
        public var port: Int
        /// The bus id at the exporter.
        public var busID: String
        /// Its name in this guest, such as "3-1", once the kernel has found it.
        public var localName: String?
    }

    /// What the kernel takes for debounce, reset and descriptors, with room for a slow machine.
    private static let enumerationMilliseconds: Int64 = 10_000

    public let address: ExporterAddress
    private let tls: TLSFiles?
    private let vhci: VHCI
    private let usbRoot: String

    public init(
        address: ExporterAddress, tls: TLSFiles? = nil, vhci: VHCI = VHCI(), usbRoot: String = USBTree.systemRoot
    ) {
        self.address = address
        self.tls = tls
        self.vhci = vhci
        self.usbRoot = usbRoot
    }

    /// What the exporter offers.
    public func devices() throws(GuestError) -> [ListedDevice] {
        let (stream, tunnel) = try connect()
        defer { withExtendedLifetime(tunnel) {} }
        return try ExporterClient { () throws(GuestError) in stream }.devices()
    }

    /// Attaches a device by its bus id, or by its name where the exporter takes names; under TLS a process is left behind
    /// that serves it.
    public func attach(_ name: String) throws(GuestError) -> Attachment {
        try vhci.prepare()
        try releaseRemoved(name)
        if let tls { return try BackgroundAttach.start(address, name, tls) }
        return try attachHere(name).attachment
    }

    /// Imports a device and gives its stream to the kernel.
    ///
    /// Under TLS the result has a tunnel: the device lives as long as this process moves its bytes.
    func attachHere(_ name: String) throws(GuestError) -> (attachment: Attachment, tunnel: TLSTunnel?) {
        try vhci.prepare()
        let (connected, tunnel) = try connect()
        let (stream, record) = try ExporterClient { () throws(GuestError) in connected }.importDevice(name)
        // The exporter may know the device by a name; its bus id is what it says.
        let busID = SystemFile.printable(record.busID.description.utf8).filter { $0 != " " }
        let port = try vhci.attach(stream, record)
        vhci.remember(AttachmentRecord(host: address.host, port: String(address.port), busID: busID), of: port)
        return (Attachment(port: port, busID: busID), tunnel)
    }

    /// The port on which a device of this exporter hangs, if it does.
    func attached(_ busID: String) throws(GuestError) -> VHCIPort? {
        let wanted = AttachmentRecord(host: address.host, port: String(address.port), busID: busID)
        return try vhci.ports().first { $0.state == .used && vhci.record(of: $0.number) == wanted }
    }

    /// A device that the guest has removed by sysfs still holds its port, and the exporter: nobody could attach it again.
    private func releaseRemoved(_ busID: String) throws(GuestError) {
        if let port = try attached(busID), vhci.isRemoved(port) { try vhci.detach(port.number) }
    }

    private func connect() throws(GuestError) -> (StreamSocket, TLSTunnel?) {
        guard let tls else { return (try StreamSocket.connect(to: address), nil) }
        let (tunnel, plain) = try TLSTunnel.open(to: address, tls)
        return (plain, tunnel)
    }

    /// Waits until the guest's kernel has found and configured the device; nil when that takes too long.
    public func waitForDevice(_ attachment: Attachment) throws(GuestError) -> Attachment? {
        let events = try UeventSocket()
        let stop = try StopSignal()
        let deadline = monotonicMilliseconds() + Self.enumerationMilliseconds
        while true {
            guard let port = try vhci.ports().first(where: { $0.number == attachment.port }), port.state != .free else {
                throw .refused("\(address): the host took '\(attachment.busID)' away before this guest had found it")
            }
            if let name = port.localName, let value = SystemFile.line("\(usbRoot)/\(name)/bConfigurationValue"),
                !value.isEmpty
            {
                var found = attachment
                found.localName = name
                return found
            }
            let left = deadline - monotonicMilliseconds()
            guard left > 0 else { return nil }
            // The configuration is set after the event of the device itself; the loss of the link has none.
            events.waitForUSBChange(milliseconds: Int32(clamping: min(left, 100)), stop: stop)
        }
    }
}
