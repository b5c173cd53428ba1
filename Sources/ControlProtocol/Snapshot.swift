/// Everything an operator can see at one moment: immutable, made by the engine, shown by console and command line alike.
public struct Snapshot: Codable, Sendable, Equatable {
    /// Grows by one with every change; two snapshots with equal revisions are equal but for counters and CPU use.
    public var revision: UInt64
    /// When it was made: seconds since 1970-01-01 UTC.
    public var time: Double
    public var engine: EngineSnapshot
    /// Sorted by name.
    public var vms: [VMSnapshot]
    /// In the order of the configuration, then of creation.
    public var devices: [DeviceSnapshot]
    /// Services of the host that devices can be given; nil from an engine that knows none.
    public var services: [ServiceSnapshot]?
    /// What is broken right now, worst first; empty when all is well.
    public var faults: [Fault]

    public init(
        revision: UInt64 = 0, time: Double = 0, engine: EngineSnapshot = EngineSnapshot(), vms: [VMSnapshot] = [],
        devices: [DeviceSnapshot] = [], services: [ServiceSnapshot]? = nil, faults: [Fault] = []
    ) {
        self.services = services
        self.revision = revision
        self.time = time
        self.engine = engine
        self.vms = vms
        self.devices = devices
        self.faults = faults
    }

    /// The VM with this name or id.
    public func vm(_ name: String) -> VMSnapshot? { vms.first { $0.name == name || $0.id == name } }
    /// The device with this name.
    public func device(_ name: String) -> DeviceSnapshot? { devices.first { $0.name == name } }
}

/// A service of the host, as configuration declares it.
public struct ServiceSnapshot: Codable, Sendable, Equatable, Identifiable {
    public var id: String { name }
    public var name: String
    /// Where it answers.
    public var url: String
    public var description: String?
    /// `DEVICE/INTERFACE` of those whose guests may use it.
    public var givenTo: [String]

    public init(name: String, url: String, description: String? = nil, givenTo: [String] = []) {
        self.name = name
        self.url = url
        self.description = description
        self.givenTo = givenTo
    }
}

/// The engine process itself.
public struct EngineSnapshot: Codable, Sendable, Equatable {
    public var hostName: String
    public var version: String
    public var pid: Int32
    /// Seconds since 1970-01-01 UTC.
    public var startedAt: Double
    /// The configuration file in force, if any.
    public var configuration: String?
    /// The control socket.
    public var socket: String
    /// The USB/IP exporter; nil when none is configured.
    public var exporter: ExporterSnapshot?

    public init(
        hostName: String = "", version: String = "", pid: Int32 = 0, startedAt: Double = 0,
        configuration: String? = nil,
        socket: String = "", exporter: ExporterSnapshot? = nil
    ) {
        self.hostName = hostName
        self.version = version
        self.pid = pid
        self.startedAt = startedAt
        self.configuration = configuration
        self.socket = socket
        self.exporter = exporter
    }
}

/// Something that is broken now and that an operator may have to act on.
public struct Fault: Codable, Sendable, Equatable {
    /// What it concerns.
    public var subject: Subject
    /// One sentence: what is wrong and what to do.
    public var message: String
    /// Seconds since 1970-01-01 UTC.
    public var since: Double

    public init(subject: Subject, message: String, since: Double) {
        self.subject = subject
        self.message = message
        self.since = since
    }
}

/// What an event or a fault is about; all empty means the engine.
public struct Subject: Codable, Sendable, Equatable, Hashable, CustomStringConvertible {
    public var vm: String?
    public var device: String?
    public var interface: String?

    public init(vm: String? = nil, device: String? = nil, interface: String? = nil) {
        self.vm = vm
        self.device = device
        self.interface = interface
    }

    /// `vm/device/interface`, leaving out what is not set; `engine` when nothing is.
    public var description: String {
        let parts = [vm, device, interface].compactMap { $0 }
        return parts.isEmpty ? "engine" : parts.joined(separator: "/")
    }
}
