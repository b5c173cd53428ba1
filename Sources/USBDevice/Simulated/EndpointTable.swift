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

    /// A function's endpoint by the name that the function has for it.
    func first(ofFunction function: Int, _ key: EndpointKey) -> EndpointQueue? {
        for queue in values where queue.function == function && queue.key == key { return queue }
        return nil
    }
}
