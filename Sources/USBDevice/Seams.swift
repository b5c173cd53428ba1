import USBCore

/// What a device is behind its port: simulated in Swift or emulated from a firmware image.
public protocol Firmware: AnyObject {
    /// Set by the port that owns this firmware, nil again before that port goes; completions go there. Must not hold it.
    var port: DevicePort? { get set }
    /// Speeds it has descriptors for.
    var speeds: Set<Speed> { get }
    /// What a host would learn by enumerating it now at `speed`; wires announce it, listings show it.
    func enumeration(at speed: Speed) -> Enumeration
    /// Whether it is on the bus: firmware may take itself off it, and a port is then as empty.
    var isAttached: Bool { get }

    /// In a port, in the default state.
    func connect(at speed: Speed)
    func disconnect()
    func busReset()
    /// Must end in exactly one `port.complete`, unless withdrawn before.
    func submit(_ transfer: Transfer)
    /// Forget this transfer; the port completes it.
    func withdraw(_ id: TransferID, _ endpoint: EndpointAddress)
}

extension Firmware {
    public var isAttached: Bool { true }
}

/// A wire, as a device port sees it.
public protocol TransferHost: AnyObject {
    func port(_ port: DevicePort, completed completion: TransferCompletion)
    /// The device changed what it is: take it out and in again.
    func portWantsReconnect(_ port: DevicePort)
    /// The device is out of the port, whoever asked for it; its next host may be another. All transfers have ended.
    func portDidDisconnect(_ port: DevicePort)
}

extension TransferHost {
    public func portDidDisconnect(_ port: DevicePort) {}
}

/// Sees every transfer of a port once.
public protocol TransferTap: AnyObject {
    func submitted(_ transfer: Transfer)
    func completed(_ completion: TransferCompletion)
    /// From here on to `batchEnded`, transfers come and go without a pause: a clock need not be asked for each.
    func batchBegan()
    func batchEnded()
}

extension TransferTap {
    public func batchBegan() {}
    public func batchEnded() {}
}

/// Hears what becomes of a device.
public protocol DevicePortObserver: AnyObject {
    func portDidConnect(_ port: DevicePort, speed: Speed)
    func portDidDisconnect(_ port: DevicePort)
    func port(_ port: DevicePort, changed change: DeviceChange)
}

/// A change that the operator should know of.
public enum DeviceChange: Sendable, Equatable {
    /// The guest began to read descriptors.
    case enumerating
    /// SET_CONFIGURATION with this value; 0 is the guest letting go of the device.
    case configured(UInt8)
    /// The guest asked to be rid of the device, or of the named interface of it.
    case releaseRequested(interface: String?)
    /// The guest ejected the medium of the named interface, which is how it gives a disk back.
    case ejected(interface: String)
    /// The guest has the medium of the named interface open, or has it no more.
    case mediumInUse(interface: String, Bool)
    /// A function's backend or protocol is in trouble; nil when it has recovered.
    case trouble(interface: String, String?)
    /// A function has something worth an event ("DTR on", "HTTP/2 session opened").
    case note(interface: String, String)
}

/// The descriptors of a device as a host reads them at one speed.
public struct Enumeration: Sendable, Equatable {
    public var speed: Speed
    public var device: DeviceDescriptor
    public var configurations: [ConfigurationDescriptor]
    /// bConfigurationValue in force; 0 when unconfigured.
    public var currentConfiguration: UInt8
    /// Alternate setting in force by bInterfaceNumber; absent means 0.
    public var alternateSettings: [UInt8: UInt8]

    public init(
        speed: Speed, device: DeviceDescriptor, configurations: [ConfigurationDescriptor],
        currentConfiguration: UInt8 = 0, alternateSettings: [UInt8: UInt8] = [:]
    ) {
        self.speed = speed
        self.device = device
        self.configurations = configurations
        self.currentConfiguration = currentConfiguration
        self.alternateSettings = alternateSettings
    }

    /// The configuration in force, or the first when unconfigured.
    public var presentConfiguration: ConfigurationDescriptor? {
        configurations.first { $0.configurationValue == currentConfiguration } ?? configurations.first
    }

    /// Interfaces of the present configuration in the alternate setting in force.
    public var presentInterfaces: [InterfaceDescriptor] {
        (presentConfiguration?.interfaces ?? []).filter {
            $0.alternateSetting == alternateSettings[$0.interfaceNumber] ?? 0
        }
    }
}
