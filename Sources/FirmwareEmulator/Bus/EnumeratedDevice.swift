import USBCore
import USBDevice

/// What enumerating a device told: its descriptors, texts and capabilities.
public struct EnumeratedDevice: Sendable, Equatable {
    public var enumeration: Enumeration
    /// Text by string index, in the device's first language.
    public var strings: [UInt8: String]
    public var languages: [UInt16]
    /// Binary device object store, where the device has one.
    public var capabilities: BinaryObjectStore?

    public var manufacturer: String? { strings[enumeration.device.manufacturerIndex] }
    public var product: String? { strings[enumeration.device.productIndex] }
    public var serialNumber: String? { strings[enumeration.device.serialNumberIndex] }
}
