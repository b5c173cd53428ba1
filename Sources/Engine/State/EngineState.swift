import ControlProtocol

/// What outlives the engine process: who is to be where, and which interfaces are off.
struct EngineState: Codable, Equatable, Sendable {
    static let version = 1

    struct Device: Codable, Equatable, Sendable {
        /// Where it is plugged, or waits to be plugged again; nil when unplugged.
        var attachment: Attachment?
        /// Id of that VM, which outlives its name; nil: known by name only.
        var vmID: String?
        var since: Double
        var by: String
        /// Interfaces that are not on, by name.
        var gates: [String: Gate]
        /// Services of interfaces where they are not those of the configuration.
        var services: [String: [String]]?
        /// How its guest was made to attach it, over USB/IP.
        var way: AttachWay?
    }

    struct Gate: Codable, Equatable, Sendable {
        var state: GateState
        var since: Double
        var by: String
    }

    var version = Self.version
    var devices: [String: Device] = [:]
    /// N of the bus id 1-N by device name; of devices that are no longer configured, too, so that it stays theirs.
    var busNumbers: [String: UInt16]?
}
