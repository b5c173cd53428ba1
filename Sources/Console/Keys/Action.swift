/// Everything a key can do.
public enum Action: String, Sendable, CaseIterable {
    case up, down, pageUp, pageDown, first, last, fold, unfold
    case drill, back, nextPane, previousPane, pane1, pane2, pane3, pane4, zoom
    case toggle, plug, unplug, eject, type, undo
    case board, hold, resetChip
    case filter, command, help, pin, freeze, theme, nextFault, copy, mouse
    case repaint, suspend, quit
    // While choosing or typing.
    case accept, cancel, complete, deleteBack, deleteForward, deleteWord, clear, left, right, toStart, toEnd
}

/// What the keys are taken for.
public enum KeyContext: String, Sendable, CaseIterable {
    case vms
    case devices
    /// VMs, devices and interfaces in one list, on smaller screens.
    case tree
    case traffic
    case events
    /// A list to choose from, with a field to type into.
    case chooser
    /// A line to type into.
    case prompt
    case help
    /// The board of an emulated device.
    case board
    case quit

    static let panes: Set<KeyContext> = [.vms, .devices, .tree, .traffic, .events]
    static let lists: Set<KeyContext> = [.vms, .devices, .tree]
    static let typing: Set<KeyContext> = [.chooser, .prompt, .help]

    var title: String {
        switch self {
        case .vms: "VMs"
        case .devices: "Devices"
        case .tree: "VMs and devices"
        case .traffic: "Traffic"
        case .events: "Events"
        case .chooser: "Choosing"
        case .prompt: "Typing"
        case .help: "Help"
        case .board: "Board"
        case .quit: "Quit"
        }
    }
}

/// One line of the key table: what hint bar, help and reference are printed from.
public struct Binding: Sendable {
    public let keys: [Key]
    public let contexts: Set<KeyContext>
    public let action: Action
    /// Two words at most, for the hint bar; nil keeps it out of there.
    public let hint: String?
    /// For the help.
    public let description: String

    init(_ keys: [Key], _ contexts: Set<KeyContext>, _ action: Action, hint: String? = nil, _ description: String) {
        self.keys = keys
        self.contexts = contexts
        self.action = action
        self.hint = hint
        self.description = description
    }

    /// The keys as the help names them: `↑ k`.
    public var keyLabel: String { keys.map(\.label).joined(separator: " ") }
}

extension Key {
    /// As hints and help name it.
    public var label: String {
        switch self {
        case .character(" "): "space"
        case .character(let character): String(character)
        case .up: "↑"
        case .down: "↓"
        case .left: "←"
        case .right: "→"
        case .pageUp: "PgUp"
        case .pageDown: "PgDn"
        case .home: "Home"
        case .end: "End"
        case .insert: "Ins"
        case .delete: "Del"
        case .backspace: "Bksp"
        case .enter: "Enter"
        case .escape: "Esc"
        case .tab: "Tab"
        case .backTab: "S-Tab"
        case .function(let number): "F\(number)"
        case .control(let character): "^" + String(character).uppercased()
        case .mouse: "mouse"
        case .paste: "paste"
        }
    }
}
