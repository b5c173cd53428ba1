/// One live virtual machine as the hypervisor shows it.
public struct VMSnapshot: Codable, Sendable, Equatable, Identifiable {
    /// Stable while the VM lives; survives a rename of its source.
    public var id: String
    public var name: String
    /// Where it was found: `qmp`, `qmp-directory`, `qemu-processes`, `libvirt`; `watch` for a guest of
    /// another host that is known by its `2virt-guest watch` only.
    public var source: String
    public var state: VMState
    /// Why it is in that state, where there is something to say ("paused by the operator", "read: reset by peer").
    public var reason: String?
    /// When it came into that state: seconds since 1970-01-01 UTC.
    public var since: Double
    public var pid: Int32?
    /// `kvm`, `tcg`, …
    public var accelerator: String?
    public var vcpus: Int?
    public var memoryBytes: UInt64?
    /// Host CPU use of the QEMU process in percent of one core.
    public var cpuPercent: Double?
    /// Start of the QEMU process: seconds since 1970-01-01 UTC.
    public var startedAt: Double?
    /// Version of the hypervisor, as `QEMU 7.2.22`.
    public var hypervisor: String?
    public var controllers: [ControllerSnapshot]
    /// USB devices in its ports, ours and others'.
    public var attached: [AttachedDevice]
    /// How it can be made to attach a USB/IP device; nil: only by hand.
    public var attachWay: AttachWay?

    public init(
        id: String, name: String, source: String, state: VMState, reason: String? = nil, since: Double = 0,
        pid: Int32? = nil, accelerator: String? = nil, vcpus: Int? = nil, memoryBytes: UInt64? = nil,
        cpuPercent: Double? = nil, startedAt: Double? = nil, hypervisor: String? = nil,
        controllers: [ControllerSnapshot] = [], attached: [AttachedDevice] = [], attachWay: AttachWay? = nil
    ) {
        self.id = id
        self.name = name
        self.source = source
        self.state = state
        self.reason = reason
        self.since = since
        self.pid = pid
        self.accelerator = accelerator
        self.vcpus = vcpus
        self.memoryBytes = memoryBytes
        self.cpuPercent = cpuPercent
        self.startedAt = startedAt
        self.hypervisor = hypervisor
        self.controllers = controllers
        self.attached = attached
        self.attachWay = attachWay
    }
}

/// Run state of a VM.
public enum VMState: String, Codable, Sendable, Equatable, CaseIterable {
    /// Found, nothing known yet.
    case starting
    case running
    case paused
    /// The guest has shut down, QEMU still lives.
    case shutdown
    /// QEMU lives but cannot be talked to; `reason` says why.
    case unreachable
    /// QEMU is gone; it is kept in view while devices belong to it or for a short time.
    case lost
}

/// One USB host controller of a VM.
public struct ControllerSnapshot: Codable, Sendable, Equatable, Identifiable {
    /// Bus name as `device_add bus=` takes it, such as `xhci.0`.
    public var id: String
    /// QEMU's model, such as `qemu-xhci`.
    public var model: String
    /// What a device plugged here can run at: `low`, `full`, `high`, `super`.
    public var speeds: [String]
    public var ports: Int
    public var freePorts: Int

    public init(id: String, model: String, speeds: [String], ports: Int, freePorts: Int) {
        self.id = id
        self.model = model
        self.speeds = speeds
        self.ports = ports
        self.freePorts = freePorts
    }
}

/// A USB device in a VM's port, by whoever put it there.
public struct AttachedDevice: Codable, Sendable, Equatable {
    /// Controller's bus name.
    public var controller: String
    /// Port path, such as `2` or `1.3` behind a hub.
    public var port: String
    /// What QEMU calls it.
    public var product: String
    /// The name of our device, when it is one of ours.
    public var device: String?

    public init(controller: String, port: String, product: String, device: String? = nil) {
        self.controller = controller
        self.port = port
        self.product = product
        self.device = device
    }
}
