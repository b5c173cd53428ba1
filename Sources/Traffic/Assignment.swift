import USBCore
import USBDevice

/// What an endpoint or a bInterfaceNumber stood for when a transfer passed: kept apart from rows, which hold its number.
struct Assignment: Hashable {
    var interface: String?
    var type: TransferType
    var classCode: ClassCode?
}

/// Where the hot path accounts an endpoint's transfers.
struct Route {
    /// Position in the recorder's interfaces; -1: the device only.
    var interface: Int16 = -1
    /// Position in the recorder's assignments.
    var assignment: UInt16 = 0
    var type: TransferType
}
