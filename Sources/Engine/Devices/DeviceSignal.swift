import ControlProtocol
import USBCore
import USBIP

/// What a device tells the engine, in the order in which it happened.
struct DeviceSignal: Sendable, Equatable {
    var device: String
    /// Of which plug it speaks: a wire that was closed may still have had something to say.
    var generation: Int
    var kind: Kind

    enum Kind: Sendable, Equatable {
        /// The wire's peer took the device; it is in the guest's port.
        case connected(Speed)
        case disconnected
        /// The VM does not want this device.
        case rejected(String)
        /// The wire ended: the peer closed it, or spoke nonsense.
        case linkClosed(String)
        case enumerating
        case configured(UInt8)
        /// The guest asked to be rid of the device (nil) or of one interface.
        case releaseRequested(String?)
        case ejected(String)
        case mediumInUse(interface: String, Bool)
        /// A USB/IP client holds it now; nobody does any more.
        case imported(ImporterInfo)
        case released(String)
        case trouble(interface: String, String?)
        case note(interface: String, String)

        /// Whether it is about the wire, and so about one plug only.
        var isOfWire: Bool {
            switch self {
            case .trouble, .note, .imported, .released: false
            default: true
            }
        }

        /// Rank for what to lose when a device says more than anybody can hear: the lowest first; nil: never lost, and
        /// at most a few for each plug.
        var dispensability: Int? {
            switch self {
            case .note: 0
            case .trouble, .enumerating, .releaseRequested, .ejected, .mediumInUse: 1
            // Only the last one counts.
            case .configured: 2
            case .connected, .disconnected, .rejected, .linkClosed, .imported, .released: nil
            }
        }
    }
}
