/// One virtual device of the inventory.
public struct DeviceSnapshot: Codable, Sendable, Equatable, Identifiable {
    public var id: String { name }
    public var name: String
    public var idVendor: UInt16
    public var idProduct: UInt16
    public var product: String
    public var serialNumber: String
    public var firmware: FirmwareKind
    /// Why the device cannot be plugged at all (its backend does not open, its image is missing); nil when it can.
    public var trouble: String?
    public var state: PlugState
    /// Why it is in that state, where there is something to say.
    public var reason: String?
    /// When it came into that state: seconds since 1970-01-01 UTC.
    public var since: Double
    /// Who brought it into that state: `root@pts/1`, `guest`, `engine`, `hypervisor`.
    public var by: String
    /// Where it is plugged, or is to be plugged again when the VM returns.
    public var attachment: Attachment?
    /// What the guest has made of it.
    public var guest: GuestState
    public var interfaces: [InterfaceSnapshot]
    /// Everything through this device, control transfers of endpoint 0 included.
    public var counters: Counters
    /// How it can be had over USB/IP; nil when it is not exported.
    public var export: ExportSnapshot?
    /// The chip it runs on; nil when it is not emulated firmware.
    public var emulator: EmulatorSnapshot?

    public init(
        name: String, idVendor: UInt16, idProduct: UInt16, product: String, serialNumber: String,
        firmware: FirmwareKind, trouble: String? = nil, state: PlugState = .unplugged, reason: String? = nil,
        since: Double = 0, by: String = "engine", attachment: Attachment? = nil, guest: GuestState = .absent,
        interfaces: [InterfaceSnapshot] = [], counters: Counters = Counters(), export: ExportSnapshot? = nil,
        emulator: EmulatorSnapshot? = nil
    ) {
        self.name = name
        self.idVendor = idVendor
        self.idProduct = idProduct
        self.product = product
        self.serialNumber = serialNumber
        self.firmware = firmware
        self.trouble = trouble
        self.state = state
        self.reason = reason
        self.since = since
        self.by = by
        self.attachment = attachment
        self.guest = guest
        self.interfaces = interfaces
        self.counters = counters
        self.export = export
        self.emulator = emulator
    }

    /// The interface with this name.
    public func interface(_ name: String) -> InterfaceSnapshot? { interfaces.first { $0.name == name } }
}

/// Where a device's behaviour comes from.
public enum FirmwareKind: String, Codable, Sendable, Equatable {
    case simulated
    case emulated
}

/// How far a device is from being in a guest.
public enum PlugState: String, Codable, Sendable, Equatable, CaseIterable {
    case unplugged
    /// Held by a USB/IP client that attached it by itself; `export.importer` says which.
    case imported
    /// On its way in: port and wire are being made.
    case plugging
    case plugged
    /// On its way out, or asked to be ejected.
    case unplugging
    /// Its VM is away (dead, restarting); it is plugged again when the VM returns.
    case waiting
    /// The VM refused it; `reason` says why. Not retried by itself.
    case rejected
}

/// The place of a device in a VM.
public struct Attachment: Codable, Sendable, Equatable {
    public var vm: String
    public var via: Wire
    /// Controller's bus name and port, `xhci.0` and `2`; nil before a port was chosen.
    public var controller: String?
    public var port: String?
    /// `low`, `full`, `high`, `super`; nil before a port was chosen.
    public var speed: String?

    public init(vm: String, via: Wire, controller: String? = nil, port: String? = nil, speed: String? = nil) {
        self.vm = vm
        self.via = via
        self.controller = controller
        self.port = port
        self.speed = speed
    }
}

/// The protocols that carry a device into a VM.
public enum Wire: String, Codable, Sendable, Equatable, CaseIterable {
    case usbredir
    case usbip
}

/// A device's state in its guest (USB 2.0 section 9.1.1).
public enum GuestState: String, Codable, Sendable, Equatable {
    /// Not in a guest.
    case absent
    /// In the port; the guest has not enumerated it yet.
    case attached
    /// The guest has read its descriptors.
    case enumerating
    /// A configuration is set: the guest's drivers may use it.
    case configured
    /// The guest has set configuration 0.
    case deconfigured
}

/// One interface (service) of a device.
public struct InterfaceSnapshot: Codable, Sendable, Equatable, Identifiable {
    public var id: String { name }
    public var name: String
    /// Catalogue kind, such as `web-service` or `serial`.
    public var kind: String
    /// Human name of the kind, such as `Web Service`.
    public var title: String
    /// The first bInterfaceNumber in the present configuration; nil when off.
    public var number: Int?
    public var gate: GateState
    /// When the gate came into that state: seconds since 1970-01-01 UTC.
    public var since: Double
    public var by: String
    /// Host side in a few words: `pty /dev/pts/4`, `127.0.0.1:8080 (1 of 1 up)`.
    public var backend: String
    /// What is wrong with its backend or function now; nil when nothing is.
    public var trouble: String?
    /// What the guest will notice when the interface is toggled now: `off: the guest loses …`, or why it cannot be.
    public var effect: String
    public var endpoints: [EndpointSnapshot]
    public var counters: Counters
    /// Names of the services that its guest was given; nil when it is no interface of that kind.
    public var services: [String]?

    public init(
        name: String, kind: String, title: String, number: Int? = nil, gate: GateState = .on, since: Double = 0,
        by: String = "engine", backend: String = "", trouble: String? = nil, effect: String = "",
        endpoints: [EndpointSnapshot] = [], counters: Counters = Counters(), services: [String]? = nil
    ) {
        self.services = services
        self.name = name
        self.kind = kind
        self.title = title
        self.number = number
        self.gate = gate
        self.since = since
        self.by = by
        self.backend = backend
        self.trouble = trouble
        self.effect = effect
        self.endpoints = endpoints
        self.counters = counters
    }
}

/// Whether the guest is offered an interface.
public enum GateState: String, Codable, Sendable, Equatable {
    case on
    /// Hidden: the device enumerates without it.
    case off
    /// Muted: there, but its endpoints NAK.
    case muted
    /// Being switched: the device is re-enumerating.
    case changing
}

/// One endpoint of an interface in the present configuration.
public struct EndpointSnapshot: Codable, Sendable, Equatable {
    /// bEndpointAddress.
    public var address: UInt8
    /// `control`, `isochronous`, `bulk`, `interrupt`.
    public var type: String
    public var maxPacketSize: Int
    public var halted: Bool
    /// Transfers waiting in its queue.
    public var pending: Int

    public init(address: UInt8, type: String, maxPacketSize: Int, halted: Bool = false, pending: Int = 0) {
        self.address = address
        self.type = type
        self.maxPacketSize = maxPacketSize
        self.halted = halted
        self.pending = pending
    }
}

/// What has passed since the device was created; never goes back but when the engine restarts.
public struct Counters: Codable, Sendable, Equatable {
    /// Payload bytes towards the guest.
    public var bytesIn: UInt64
    /// Payload bytes from the guest.
    public var bytesOut: UInt64
    /// Completed transfers towards the guest, however they ended.
    public var transfersIn: UInt64
    /// Completed transfers from the guest, however they ended.
    public var transfersOut: UInt64
    /// Transfers that failed: babble, timeout, protocol error.
    public var errors: UInt64
    public var stalls: UInt64
    /// Taken back by the guest, or by reset or unplug.
    public var cancelled: UInt64

    public init(
        bytesIn: UInt64 = 0, bytesOut: UInt64 = 0, transfersIn: UInt64 = 0, transfersOut: UInt64 = 0,
        errors: UInt64 = 0, stalls: UInt64 = 0, cancelled: UInt64 = 0
    ) {
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.transfersIn = transfersIn
        self.transfersOut = transfersOut
        self.errors = errors
        self.stalls = stalls
        self.cancelled = cancelled
    }
}
