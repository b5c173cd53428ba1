/// Device descriptor, 18 bytes (USB 2.0 table 9-8).
public struct DeviceDescriptor: Sendable, Equatable {
    /// bcdUSB.
    public var usbRelease: UInt16
    public var deviceClass: UInt8
    public var deviceSubClass: UInt8
    public var deviceProtocol: UInt8
    /// bMaxPacketSize0 as it stands in the descriptor: bytes, or the exponent 9 at super speed.
    public var maxPacketSize0: UInt8
    public var idVendor: UInt16
    public var idProduct: UInt16
    /// bcdDevice.
    public var deviceRelease: UInt16
    public var manufacturerIndex: UInt8
    public var productIndex: UInt8
    public var serialNumberIndex: UInt8
    public var configurationCount: UInt8

    public init(
        usbRelease: UInt16, deviceClass: UInt8 = 0, deviceSubClass: UInt8 = 0, deviceProtocol: UInt8 = 0,
        maxPacketSize0: UInt8, idVendor: UInt16, idProduct: UInt16, deviceRelease: UInt16, manufacturerIndex: UInt8 = 0,
        productIndex: UInt8 = 0, serialNumberIndex: UInt8 = 0, configurationCount: UInt8 = 1
    ) {
        self.usbRelease = usbRelease
        self.deviceClass = deviceClass
        self.deviceSubClass = deviceSubClass
        self.deviceProtocol = deviceProtocol
        self.maxPacketSize0 = maxPacketSize0
        self.idVendor = idVendor
        self.idProduct = idProduct
        self.deviceRelease = deviceRelease
        self.manufacturerIndex = manufacturerIndex
        self.productIndex = productIndex
        self.serialNumberIndex = serialNumberIndex
        self.configurationCount = configurationCount
    }

    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        let raw = try DescriptorBytes("device", type: DescriptorType.device, minimum: 18, in: bytes, at: 0)
        self.init(
            usbRelease: raw.word(2), deviceClass: raw[4], deviceSubClass: raw[5], deviceProtocol: raw[6],
            maxPacketSize0: raw[7], idVendor: raw.word(8), idProduct: raw.word(10), deviceRelease: raw.word(12),
            manufacturerIndex: raw[14], productIndex: raw[15], serialNumberIndex: raw[16], configurationCount: raw[17])
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = [18, DescriptorType.device]
        out.append(little: usbRelease)
        out += [deviceClass, deviceSubClass, deviceProtocol, maxPacketSize0]
        out.append(little: idVendor)
        out.append(little: idProduct)
        out.append(little: deviceRelease)
        out += [manufacturerIndex, productIndex, serialNumberIndex, configurationCount]
        return out
    }

    /// Device qualifier: what this device would be at the other speed (USB 2.0 table 9-9), from the descriptor for that speed.
    public var qualifierBytes: [UInt8] {
        var out: [UInt8] = [10, DescriptorType.deviceQualifier]
        out.append(little: 0x0200 as UInt16)
        out += [deviceClass, deviceSubClass, deviceProtocol, maxPacketSize0, configurationCount, 0]
        return out
    }
}
