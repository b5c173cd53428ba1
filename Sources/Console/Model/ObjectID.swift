/// What a row of a list stands for; a selection is one of these, never a row number.
public enum ObjectID: Hashable, Sendable {
    /// A VM by its stable id.
    case vm(String)
    /// The place of all devices that are in no VM.
    case shelf
    case device(String)
    case interface(device: String, name: String)

    /// The device it is or belongs to.
    public var device: String? {
        switch self {
        case .vm, .shelf: nil
        case .device(let name): name
        case .interface(let device, _): device
        }
    }

    var isPlace: Bool { device == nil }
}

/// The panes, by the digit that focuses them.
public enum Pane: Int, Hashable, Sendable, CaseIterable {
    case vms = 1
    case devices
    case traffic
    case events
}
