/// hello: who the peer is and what it offers.
public struct Hello: Sendable, Equatable {
    /// At most 63 characters are sent; other than printable ASCII is shown as `?`.
    public var version: String
    public var capabilities: Capabilities

    public init(version: String, capabilities: Capabilities) {
        self.version = version
        self.capabilities = capabilities
    }
}

/// device_connect: what was plugged in.
public struct DeviceConnect: Sendable, Equatable {
    /// 0 low, 1 full, 2 high, 3 super, 255 unknown.
    public var speed: UInt8
    public var deviceClass: UInt8
    public var deviceSubClass: UInt8
    public var deviceProtocol: UInt8
    public var idVendor: UInt16
    public var idProduct: UInt16
    /// bcdDevice; 0 when the capability is not in force.
    public var deviceRelease: UInt16

    public init(
        speed: UInt8, deviceClass: UInt8, deviceSubClass: UInt8, deviceProtocol: UInt8, idVendor: UInt16,
        idProduct: UInt16, deviceRelease: UInt16
    ) {
        self.speed = speed
        self.deviceClass = deviceClass
        self.deviceSubClass = deviceSubClass
        self.deviceProtocol = deviceProtocol
        self.idVendor = idVendor
        self.idProduct = idProduct
        self.deviceRelease = deviceRelease
    }
}

/// interface_info: the interfaces of the active configuration, at most 32.
public struct InterfaceInfo: Sendable, Equatable {
    public static let maximumInterfaces = 32

    /// One interface in its active alternate setting.
    public struct Entry: Sendable, Equatable {
        public var number: UInt8
        public var interfaceClass: UInt8
        public var interfaceSubClass: UInt8
        public var interfaceProtocol: UInt8

        public init(number: UInt8, interfaceClass: UInt8, interfaceSubClass: UInt8, interfaceProtocol: UInt8) {
            self.number = number
            self.interfaceClass = interfaceClass
            self.interfaceSubClass = interfaceSubClass
            self.interfaceProtocol = interfaceProtocol
        }
    }

    public let interfaces: [Entry]

    /// More than 32 interfaces are cut to 32.
    public init(interfaces: [Entry]) {
        self.interfaces = Array(interfaces.prefix(Self.maximumInterfaces))
    }
}

/// ep_info: the endpoints of the active configuration; index 0...15 OUT, 16...31 IN.
public struct EndpointInfo: Sendable, Equatable {
    public static let count = 32
    public static let typeInvalid: UInt8 = 255

    /// One endpoint; `unused` where there is none.
    public struct Entry: Sendable, Equatable {
        /// 0 control, 1 isochronous, 2 bulk, 3 interrupt, 255 none.
        public var type: UInt8
        /// Frames or microframes, never 0 for interrupt and isochronous.
        public var interval: UInt8
        public var interface: UInt8
        /// Bytes per service interval; 0 when the capability is not in force.
        public var maxPacketSize: UInt16
        /// 0 when bulk streams are not in force.
        public var maxStreams: UInt32

        public init(
            type: UInt8, interval: UInt8 = 0, interface: UInt8 = 0, maxPacketSize: UInt16 = 0, maxStreams: UInt32 = 0
        ) {
            self.type = type
            self.interval = interval
            self.interface = interface
            self.maxPacketSize = maxPacketSize
            self.maxStreams = maxStreams
        }

        public static let unused = Entry(type: EndpointInfo.typeInvalid)
    }

    /// Always 32.
    public private(set) var endpoints: [Entry]

    public init() {
        endpoints = Array(repeating: .unused, count: Self.count)
    }

    /// `index` is taken modulo 32.
    public subscript(index: Int) -> Entry {
        get { endpoints[index & 31] }
        set { endpoints[index & 31] = newValue }
    }
}
