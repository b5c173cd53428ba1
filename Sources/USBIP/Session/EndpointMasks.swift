import USBCore
import USBDevice

/// What the stream must know of a device's endpoints: one bit for each address.
struct EndpointMasks {
    /// Endpoints of the alternate settings in force.
    private var present: UInt32 = 0
    private var isochronous: UInt32 = 0

    init() {}

    init(_ enumeration: Enumeration) {
        if enumeration.currentConfiguration != 0 {
            for endpoint in enumeration.presentInterfaces.flatMap(\.endpoints) {
                present |= Self.bit(endpoint.address)
                if endpoint.type == .isochronous { isochronous |= Self.bit(endpoint.address) }
            }
        }
        // An importer may still send to an endpoint that a SET_INTERFACE has just taken away; whether descriptors follow
        // must be known then too.
        for endpoint in enumeration.configurations.flatMap(\.interfaces).flatMap(\.endpoints)
        where endpoint.type == .isochronous && !isPresent(endpoint.address) {
            isochronous |= Self.bit(endpoint.address)
        }
    }

    func isPresent(_ address: EndpointAddress) -> Bool { present & Self.bit(address) != 0 }
    func isIsochronous(_ address: EndpointAddress) -> Bool { isochronous & Self.bit(address) != 0 }

    private static func bit(_ address: EndpointAddress) -> UInt32 { 1 << UInt32(truncatingIfNeeded: address.index) }
}
