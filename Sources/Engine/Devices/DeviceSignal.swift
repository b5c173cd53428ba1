import ControlProtocol
import USBCore

/// What a device tells the engine, in the order in which it happened.
struct DeviceSignal: Sendable {
    var device: String
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
        case trouble(interface: String, String?)
        case note(interface: String, String)
    }
}

/// A device as it is right now on its event loop.
struct DeviceReport: Sendable, Equatable {
    struct Interface: Sendable, Equatable {
        var number: UInt8?
        var backend: String
        var endpoints: [EndpointReport]
        var counters: Counters
    }

    struct EndpointReport: Sendable, Equatable {
        var address: UInt8
        var type: String
        var maxPacketSize: Int
        var halted: Bool
        var pending: Int
    }

    var interfaces: [String: Interface] = [:]
    var counters = Counters()
}
