import USBCore

/// One function of a simulated device: the service behind one operator-visible interface (one or more USB interfaces).
///
/// These few verbs are the whole contract between chapter 9 and a service. All are called on the device's event loop.
public protocol Function: AnyObject {
    /// The name that operator and guest know it by; its iInterface string.
    var name: String { get }
    /// Catalogue kind, such as `serial`.
    var kind: String { get }
    /// The USB interfaces it consists of; asked anew at each connect.
    func declaration(at speed: Speed) -> FunctionDeclaration
    /// Given once, before anything else; use it to reach endpoints and the operator.
    func attach(_ context: FunctionContext)
    /// The guest has set the configuration: endpoints work from now on.
    func activate()
    /// Endpoints are going (reset, deconfiguration, unplug, interface switched off); forget everything of this session.
    /// `queuedBytes` still tells what the guest has not taken; nothing written now arrives.
    func deactivate()
    /// The guest chose an alternate setting of the interface at `offset` in the declaration.
    func alternateSettingChanged(interface offset: Int, to setting: UInt8)
    /// A class or vendor request to one of its interfaces or endpoints, or GET_DESCRIPTOR to an interface; OUT data is
    /// complete in `data`.
    func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply
    /// OUT data arrived on, or IN room was made at, one of its endpoints.
    func endpointReady(_ endpoint: EndpointKey)
    /// Bytes for one packet of an isochronous IN endpoint, at most `length`; empty when there is nothing to send.
    ///
    /// Called for each service interval in turn, when the transfer that it belongs to ends. `interval` counts from 0, the
    /// endpoint's first packet since its alternate setting was chosen; numbers that are left out passed without the host
    /// asking. More than `length` is cut and told to the host as babble.
    func isochronousPacket(_ endpoint: EndpointKey, interval: Int, length: Int) -> [UInt8]
    /// One packet, perhaps empty, that arrived at an isochronous OUT endpoint; `interval` as for IN.
    func isochronousReceived(_ endpoint: EndpointKey, interval: Int, _ bytes: [UInt8])
    /// Short text on the host side for the operator: `pty /dev/pts/4`.
    var backend: String { get }
    /// Ends its backend for good.
    func shutdown()
    /// After `shutdown`: calls `body` once nothing that was taken from the guest is still on its way to the backend.
    func whenDrained(_ body: @escaping () -> Void)
}

extension Function {
    public func alternateSettingChanged(interface offset: Int, to setting: UInt8) {}
    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply { .stall }
    public func isochronousPacket(_ endpoint: EndpointKey, interval: Int, length: Int) -> [UInt8] { [] }
    public func isochronousReceived(_ endpoint: EndpointKey, interval: Int, _ bytes: [UInt8]) {}
    public func shutdown() {}
    public func whenDrained(_ body: @escaping () -> Void) { body() }
}

/// Answer to a class or vendor request.
public enum ControlReply: Sendable, Equatable {
    /// Success; IN data is cut to wLength.
    case acknowledge([UInt8] = [])
    case stall
}

/// A function's own name for one of its endpoints.
public struct EndpointKey: Sendable, Hashable, ExpressibleByStringLiteral {
    public let name: String
    public init(stringLiteral value: String) { name = value }
    public init(_ name: String) { self.name = name }

    /// Names of different lengths, as `in` and `out`, are told apart without a comparison of strings.
    @inlinable public static func == (left: EndpointKey, right: EndpointKey) -> Bool {
        left.name.utf8.count == right.name.utf8.count && left.name == right.name
    }
}

/// What a function consists of at one speed.
public struct FunctionDeclaration: Sendable, Equatable {
    /// bFunctionClass, bFunctionSubClass, bFunctionProtocol of the interface association; needed for more than one interface.
    public var classCode: ClassCode
    public var interfaces: [InterfaceDeclaration]
    /// Microsoft OS 2.0 compatible id (`WINUSB`), which binds Windows' in-box driver.
    public var compatibleID: String?

    public init(classCode: ClassCode, interfaces: [InterfaceDeclaration], compatibleID: String? = nil) {
        self.classCode = classCode
        self.interfaces = interfaces
        self.compatibleID = compatibleID
    }
}

/// Class, subclass and protocol.
public struct ClassCode: Sendable, Equatable, Hashable {
    public var code: UInt8
    public var subclass: UInt8
    public var `protocol`: UInt8

    public init(_ code: UInt8, _ subclass: UInt8, _ protocol: UInt8) {
        self.code = code
        self.subclass = subclass
        self.protocol = `protocol`
    }
}

/// One USB interface of a function; `alternates[0]` is the default setting.
public struct InterfaceDeclaration: Sendable, Equatable {
    public var classCode: ClassCode
    public var alternates: [AlternateDeclaration]

    public init(classCode: ClassCode, alternates: [AlternateDeclaration]) {
        self.classCode = classCode
        self.alternates = alternates
    }

    public init(
        classCode: ClassCode,
        classDescriptors: @escaping @Sendable (_ firstInterface: UInt8) -> [[UInt8]] = { _ in [] },
        endpoints: [EndpointDeclaration]
    ) {
        self.init(
            classCode: classCode,
            alternates: [AlternateDeclaration(classDescriptors: classDescriptors, endpoints: endpoints)])
    }
}

/// One alternate setting of an interface.
public struct AlternateDeclaration: Sendable, Equatable {
    /// Class-specific descriptors after the interface descriptor; given the function's first bInterfaceNumber.
    public var classDescriptors: @Sendable (_ firstInterface: UInt8) -> [[UInt8]]
    public var endpoints: [EndpointDeclaration]
    /// Strings that the class descriptors refer to by index.
    public var strings: [DescriptorString]

    public init(
        classDescriptors: @escaping @Sendable (_ firstInterface: UInt8) -> [[UInt8]] = { _ in [] },
        endpoints: [EndpointDeclaration], strings: [DescriptorString] = []
    ) {
        self.classDescriptors = classDescriptors
        self.endpoints = endpoints
        self.strings = strings
    }

    public static func == (left: AlternateDeclaration, right: AlternateDeclaration) -> Bool {
        left.endpoints == right.endpoints && left.strings == right.strings
            && left.classDescriptors(0) == right.classDescriptors(0)
    }
}

/// A string that a class descriptor refers to; its index is put there when the device is composed.
public struct DescriptorString: Sendable, Equatable {
    public var text: String
    /// Number of the class descriptor, and the byte in it that becomes the index.
    public var descriptor: Int
    public var byte: Int

    public init(_ text: String, descriptor: Int, byte: Int) {
        self.text = text
        self.descriptor = descriptor
        self.byte = byte
    }
}

/// One endpoint of an alternate setting; its address is given out when the device is composed.
public struct EndpointDeclaration: Sendable, Equatable {
    public var key: EndpointKey
    public var direction: Direction
    public var type: TransferType
    /// Bytes; nil: the largest that the speed allows for bulk, 64 for interrupt.
    public var maxPacketSize: Int?
    /// Service interval of interrupt and isochronous endpoints in milliseconds; composed into bInterval by speed, for
    /// isochronous and high-speed endpoints the next lower power of two.
    public var intervalMilliseconds: Int
    /// The same in microframes of 125 µs, which counts in its place at high and super speed.
    public var intervalMicroframes: Int?
    /// bmAttributes bits 2...5 of an isochronous endpoint, in place: synchronization and usage type.
    public var isochronousAttributes: UInt8
    /// Bytes 7... of a longer descriptor (audio: bRefresh, bSynchAddress).
    public var extra: [UInt8]
    /// Whole class-specific descriptors after it.
    public var classDescriptors: [[UInt8]]
    /// IN endpoints of a protocol in which the host knows how long an answer is: a transfer ends when it is full or at an
    /// end of message, never because bytes ran out, and no zero-length packet follows a full one.
    public var isExact: Bool
    /// The endpoint number that hosts expect of a function; it has it unless a function before it does.
    public var wishedNumber: UInt8?

    public init(
        _ key: EndpointKey, _ direction: Direction, _ type: TransferType, maxPacketSize: Int? = nil,
        intervalMilliseconds: Int = 8, intervalMicroframes: Int? = nil, isochronousAttributes: UInt8 = 0,
        extra: [UInt8] = [],
        classDescriptors: [[UInt8]] = [], isExact: Bool = false, wishedNumber: UInt8? = nil
    ) {
        self.key = key
        self.direction = direction
        self.type = type
        self.maxPacketSize = maxPacketSize
        self.intervalMilliseconds = intervalMilliseconds
        self.intervalMicroframes = intervalMicroframes
        self.isochronousAttributes = isochronousAttributes
        self.extra = extra
        self.classDescriptors = classDescriptors
        self.isExact = isExact
        self.wishedNumber = wishedNumber
    }
}

/// How a function reaches its endpoints and its operator; valid until the device ends. All on the device's event loop.
public protocol FunctionContext: AnyObject {
    var speed: Speed? { get }
    /// Between `activate` and `deactivate`.
    var isActive: Bool { get }
    /// The function's first bInterfaceNumber; nil while it is not in a guest.
    var firstInterface: UInt8? { get }

    // IN: towards the guest.
    /// Queues bytes for the guest; they leave in parked IN transfers. The stream is cut at transfer ends only; with
    /// `endOfMessage` the transfer that takes the last byte ends (short, or by a zero-length packet).
    /// Ignored while not active.
    func write(_ bytes: [UInt8], to endpoint: EndpointKey, endOfMessage: Bool)
    /// Bytes queued and not yet taken by the guest: a function stops reading its backend above its own mark.
    func queuedBytes(_ endpoint: EndpointKey) -> Int

    // OUT: from the guest.
    /// The next OUT transfer's bytes, completing it; nil when none waits. Not taking is NAK: back-pressure on the guest.
    func read(_ endpoint: EndpointKey) -> [UInt8]?

    /// Halts the endpoint until the guest clears it: waiting and coming transfers stall.
    func halt(_ endpoint: EndpointKey)
    /// Forgets queued IN bytes.
    func discard(_ endpoint: EndpointKey)

    func report(_ change: DeviceChange)
}
