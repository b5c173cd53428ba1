import ControlProtocol

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
    /// Of emulated firmware.
    var emulator: EmulatorReport?
}
