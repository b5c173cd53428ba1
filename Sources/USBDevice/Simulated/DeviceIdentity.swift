import USBCore

/// Who a device says it is (USB 2.0 table 9-8 and its strings).
public struct DeviceIdentity: Sendable, Equatable {
    public var idVendor: UInt16
    public var idProduct: UInt16
    /// bcdDevice.
    public var deviceRelease: UInt16
    public var manufacturer: String
    public var product: String
    public var serialNumber: String

    public init(
        idVendor: UInt16 = 0x02A0, idProduct: UInt16 = 0xA123, deviceRelease: UInt16 = 0x0100,
        manufacturer: String = "2Virt", product: String, serialNumber: String
    ) {
        self.idVendor = idVendor
        self.idProduct = idProduct
        self.deviceRelease = deviceRelease
        self.manufacturer = manufacturer
        self.product = product
        self.serialNumber = serialNumber
    }
}

/// Whether the guest is offered a function.
public enum Gate: Sendable, Equatable {
    case on
    /// The device enumerates without it.
    case hidden
    /// It is there, but its endpoints NAK.
    case muted
}

/// Why functions do not fit into one device.
public enum CompositionError: Error, Equatable, CustomStringConvertible {
    case noFunctions
    case duplicateName(String)
    case tooManyEndpoints(function: String)
    case tooManyInterfaces(function: String)
    case noPossibleSpeed(asked: Set<Speed>)

    public var description: String {
        switch self {
        case .noFunctions: "a device needs at least one interface"
        case .duplicateName(let name): "two interfaces are named '\(name)'; names must differ within a device"
        case .tooManyEndpoints(let function):
            "interface '\(function)' does not fit: a USB device has at most 15 IN and 15 OUT endpoints; move it to another device"
        case .noPossibleSpeed(let asked):
            "its interfaces cannot run at \(asked.sorted().map(\.name).joined(separator: " or ")) speed; allow full or high speed"
        case .tooManyInterfaces(let function):
            "interface '\(function)' does not fit: a USB configuration has at most 32 interfaces; move it to another device"
        }
    }
}
