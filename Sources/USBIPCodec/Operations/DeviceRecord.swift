import NIOCore

/// The 312 bytes that describe a device, in lists and in the answer to an import.
public struct DeviceRecord: Sendable, Equatable {
    public static let length = 312
    static let pathLength = 256

    /// At most 255 bytes of it are sent.
    public var path: String
    public var busID: BusID
    public var busNumber: UInt32
    public var deviceNumber: UInt32
    public var speed: WireSpeed
    public var idVendor: UInt16
    public var idProduct: UInt16
    /// bcdDevice.
    public var deviceRelease: UInt16
    public var deviceClass: UInt8
    public var deviceSubClass: UInt8
    public var deviceProtocol: UInt8
    /// bConfigurationValue in force, 0 when unconfigured.
    public var configurationValue: UInt8
    public var configurationCount: UInt8
    /// bNumInterfaces of the configuration in force; in a list as many interface records follow.
    public var interfaceCount: UInt8

    public init(
        path: String, busID: BusID, busNumber: UInt32, deviceNumber: UInt32, speed: WireSpeed, idVendor: UInt16,
        idProduct: UInt16, deviceRelease: UInt16, deviceClass: UInt8, deviceSubClass: UInt8, deviceProtocol: UInt8,
        configurationValue: UInt8, configurationCount: UInt8, interfaceCount: UInt8
    ) {
        self.path = path
        self.busID = busID
        self.busNumber = busNumber
        self.deviceNumber = deviceNumber
        self.speed = speed
        self.idVendor = idVendor
        self.idProduct = idProduct
        self.deviceRelease = deviceRelease
        self.deviceClass = deviceClass
        self.deviceSubClass = deviceSubClass
        self.deviceProtocol = deviceProtocol
        self.configurationValue = configurationValue
        self.configurationCount = configurationCount
        self.interfaceCount = interfaceCount
    }

    /// `devid` of the URB stream.
    public var deviceID: UInt32 { busNumber << 16 | deviceNumber & 0xFFFF }

    func write(to buffer: inout ByteBuffer) {
        let path = path.utf8.prefix(Self.pathLength - 1)
        buffer.writeBytes(path)
        buffer.writeRepeatingByte(0, count: Self.pathLength - path.count)
        buffer.writeBytes(busID.bytes)
        buffer.writeMultipleIntegers(
            busNumber, deviceNumber, speed.rawValue, idVendor, idProduct, deviceRelease, deviceClass, deviceSubClass,
            deviceProtocol, configurationValue, configurationCount, interfaceCount)
    }

    /// nil when fewer than 312 bytes are there.
    init?(readingFrom buffer: inout ByteBuffer) {
        guard buffer.readableBytes >= Self.length, let path = buffer.readBytes(length: Self.pathLength),
            let busID = buffer.readBytes(length: BusID.length),
            let words = buffer.readMultipleIntegers(as: (UInt32, UInt32, UInt32, UInt16, UInt16, UInt16).self),
            let bytes = buffer.readMultipleIntegers(as: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8).self)
        else { return nil }
        self.init(
            path: String(decoding: path.prefix { $0 != 0 }, as: UTF8.self), busID: BusID(thirtyTwo: busID),
            busNumber: words.0, deviceNumber: words.1, speed: WireSpeed(rawValue: words.2), idVendor: words.3,
            idProduct: words.4, deviceRelease: words.5, deviceClass: bytes.0, deviceSubClass: bytes.1,
            deviceProtocol: bytes.2, configurationValue: bytes.3, configurationCount: bytes.4,
            interfaceCount: bytes.5)
    }
}
