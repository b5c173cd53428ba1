/// One port of the kernel's virtual host controller, as its `status` files show it.
public struct VHCIPort: Equatable, Sendable {
    public enum Hub: String, Sendable {
        /// Low, full and high speed.
        case highSpeed = "hs"
        case superSpeed = "ss"
    }

    /// `enum usbip_device_status` of the kernel, as far as a port has it.
    public enum State: Equatable, Sendable {
        case free
        /// Has a socket; the kernel has not found a device yet.
        case starting
        case used
        /// The kernel is taking it down: its connection has ended, and the device goes or has just gone.
        case failing

        init?(_ code: Int) {
            switch code {
            case 4: self = .free
            case 5: self = .starting
            case 6: self = .used
            case 7: self = .failing
            default: return nil
            }
        }
    }

    public var hub: Hub
    /// Counts over all controllers.
    public var number: Int
    public var state: State
    /// USB/IP's devid.
    public var deviceID: UInt32
    /// The device's name in this guest, such as "3-1"; nil before it has one.
    public var localName: String?

    /// What the kernel shows in place of the socket once the connection of a port in use has ended: -1, unsigned.
    private static let noSocket = "4294967295"

    /// Takes one line: `hs  0000 006 003 00010002 000003 3-1`; nil for the heading and for anything else.
    init?(statusLine line: some StringProtocol) {
        let fields = line.split { $0 == " " || $0 == "\t" }
        guard fields.count >= 7, let hub = Hub(rawValue: String(fields[0])), let number = Int(fields[1]), number >= 0,
            let state = Int(fields[2]).flatMap(State.init), let deviceID = UInt32(fields[4], radix: 16)
        else { return nil }
        self.hub = hub
        self.number = number
        // Until the port is free it still has the name of a device that the kernel has already taken away: without this
        // the loss of a connection looks like a removal by the guest.
        self.state = state == .used && fields[5] == Self.noSocket ? .failing : state
        self.deviceID = deviceID
        let name = SystemFile.printable(fields[6].utf8)
        localName = state == .free || name == "0-0" ? nil : name
    }
}
