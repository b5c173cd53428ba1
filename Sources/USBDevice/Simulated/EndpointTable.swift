import USBCore

/// The endpoints in force, by address; a transfer is a look-up or more, so nothing is hashed.
struct EndpointTable {
    /// In address order.
    private(set) var values: [EndpointQueue] = []
    /// By `EndpointAddress.index`.
    private var slots = [EndpointQueue?](repeating: nil, count: 32)

    subscript(address: EndpointAddress) -> EndpointQueue? {
        get { slots[address.index] }
        set {
            slots[address.index] = newValue
            values = slots.compactMap(\.self)
        }
    }
}
