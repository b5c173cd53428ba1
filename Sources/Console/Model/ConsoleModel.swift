import ControlProtocol

/// The whole state of the console: a value that `update` moves on and `render` turns into a picture.
public struct ConsoleModel: Sendable {
    /// Refuses every verb that changes something.
    public let readOnly: Bool
    /// Distance of the operator's clock from UTC, seconds.
    public var utcOffset: Int
    /// Names the theme chooser offers.
    public var themes: [String]
    /// The theme in force.
    public internal(set) var theme: String

    var live = Picture()
    /// The picture kept on the screen while frozen.
    var frozen: Picture?
    var connection: ConnectionState = .connecting
    var connectionSince = 0.0
    var now = 0.0

    var columns = 80
    var rows = 24
    var tier: Tier = .medium
    /// Whether a size was ever told; the first is taken without hysteresis.
    var isSized = false
    var focus: Pane = .vms
    var zoomed = false

    /// The VM (or shelf) selected.
    var place: ObjectID = .shelf
    /// The device or interface selected there.
    var object: ObjectID?
    var folds: [ObjectID: Bool] = [:]
    /// The transfer held; nil follows the newest.
    var transferCursor: UInt64?
    /// The event selected; nil is the newest.
    var eventCursor: EventRowID?
    var positions: [Pane: ListPosition] = [:]
    var filters: [Pane: Filter] = [:]
    var pinned: TrafficSelector?

    var mode: Mode = .panes
    var armed: Armed?
    var notice: Notice?
    var undos: [Undo] = []
    var pending: [UInt64: Pending] = [:]
    var eventRequest: UInt64?
    var nextID: UInt64 = 1
    var history: [String] = []
    var firstSteps: String?
    var mouseCapture = true
    /// What was last subscribed to.
    var subscription: Subscription?

    public init(
        readOnly: Bool = false, utcOffset: Int = 0, themes: [String] = [], theme: String = Theme.fallback.name,
        firstSteps: String? = nil, mouse: Bool = true
    ) {
        self.readOnly = readOnly
        self.utcOffset = utcOffset
        self.themes = themes
        self.theme = theme
        self.firstSteps = firstSteps
        mouseCapture = mouse
    }

    /// The picture on the screen.
    var shown: Picture { frozen ?? live }
    var isFrozen: Bool { frozen != nil }
    var isConnected: Bool { connection == .connected }

    var layout: Layout { Layout(columns: columns, rows: rows, tier: tier, focus: focus, zoomed: zoomed) }

    /// What the keys are taken for now.
    public var keyContext: KeyContext {
        switch mode {
        case .filter, .command, .typing: .prompt
        case .plug, .theme: .chooser
        case .help: .help
        case .board: .board
        case .quit: .quit
        case .panes:
            switch focus {
            case .vms: tier.isTree ? .tree : .vms
            case .devices: tier.isTree ? .tree : .devices
            case .traffic: .traffic
            case .events: .events
            }
        }
    }

    /// The moment of the picture on the screen: a frozen or cut off one does not grow older.
    var shownTime: Double {
        isFrozen || !isConnected ? shown.time : now
    }

    func clock(_ time: Double) -> String { Format.moment(time, now: now, offset: utcOffset) }
    func age(_ time: Double) -> Double { max(0, shownTime - time) }
}

/// What part of a list is on the screen.
struct ListPosition: Sendable, Equatable {
    /// First row shown.
    var offset = 0
    /// Index of the selected row when it was last seen.
    var index = 0
}
