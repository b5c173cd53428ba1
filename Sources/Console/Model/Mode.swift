import ControlProtocol

/// What the keys are for at the moment.
enum Mode: Sendable, Equatable {
    case panes
    /// Typing a filter of a pane; the one before comes back with Esc.
    case filter(Pane, LineEditor, before: Filter?)
    case command(CommandPrompt)
    case typing(TypePrompt)
    case plug(PlugChooser)
    case theme(ThemeChooser)
    case help(HelpState)
    case board(BoardState)
    case quit
}

/// The board of an emulated device, on top of the panes.
struct BoardState: Sendable, Equatable {
    var device: String
    /// Index of the selected button.
    var cursor = 0
}

/// The `:` line.
struct CommandPrompt: Sendable, Equatable {
    var editor = LineEditor()
    /// Place in the history, 0 the newest; nil while typing.
    var historyIndex: Int?
}

/// What is typed goes into a guest, a line or a paste at a time.
struct TypePrompt: Sendable, Equatable {
    var device: String
    var keyboard: String
    var editor = LineEditor()
}

/// Choosing a device, then the VM to plug it into.
struct PlugChooser: Sendable, Equatable {
    enum Stage: Sendable, Equatable {
        case device
        case vm(device: String)
    }

    var stage: Stage
    var editor = LineEditor()
    /// Name of the chosen row; nil is the first that can be taken.
    var cursor: String?
    var via: Wire = .usbredir
}

/// Choosing a theme with the screen as preview.
struct ThemeChooser: Sendable, Equatable {
    /// Comes back with Esc.
    var before: String
    var cursor: Int
}

/// The help overlay: what was asked for, and how far it is scrolled.
struct HelpState: Sendable, Equatable {
    var context: KeyContext
    var editor = LineEditor()
    var offset = 0
}

/// A verb that waits for its key a second time; any other key calls it off.
struct Armed: Sendable, Equatable {
    enum Verb: Sendable, Equatable {
        case unplug(device: String)
        /// All interfaces of a device, to the same gate.
        case toggleAll(device: String, gate: GateState)
    }

    static let seconds = 3.0

    var verb: Verb
    var question: String
    /// For 20 columns.
    var short: String
    var until: Double
}

/// What came of the last act, shown until it is outlived or a key is pressed.
struct Notice: Sendable, Equatable {
    var text: String
    var role: StyleRole
    var until: Double
}

/// How to take back something done, for a short while.
struct Undo: Sendable, Equatable {
    static let seconds = 30.0

    var commands: [Command]
    /// `plug combo-kbd into web-02 again`.
    var label: String
    var until: Double
}

/// A request on its way.
struct Pending: Sendable, Equatable {
    var label: String
    var sentAt: Double
    var undo: Undo?
    /// Plugging ends the first steps.
    var isPlug: Bool
}
