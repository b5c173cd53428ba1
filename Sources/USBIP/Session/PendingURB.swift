import USBCore
import USBIPCodec

/// A URB that the device has.
struct PendingURB {
    var sequenceNumber: UInt32
    var address: EndpointAddress
    /// IN: room at the importer. OUT: bytes given.
    var length: Int
    var shortNotOK = false
    /// A request that changes which endpoints there are.
    var changesEndpoints = false
    /// Request's descriptors; nil unless the endpoint is isochronous.
    var packets: [IsochronousDescriptor]?
    /// Bytes that it counts for in the session's budget.
    var cost: Int { length }
}
