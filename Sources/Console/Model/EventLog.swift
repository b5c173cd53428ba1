import ControlProtocol

/// The events known to this console, newest first, the oldest forgotten.
struct EventLog: Sendable, Equatable {
    static let limit = 2000

    /// An event of one run of the engine; a restarted engine counts from the start again.
    struct Entry: Sendable, Equatable {
        var key: Key
        var event: Event
    }

    struct Key: Hashable, Sendable {
        var run: Int
        var sequence: UInt64
    }

    private(set) var entries: [Entry] = []
    private var run = 0

    /// The newest sequence of this run; 0 when none is known.
    var lastSequence: UInt64 { entries.first { $0.key.run == run }?.key.sequence ?? 0 }

    /// The engine was restarted.
    mutating func beginRun() {
        run += 1
    }

    /// Takes events in any order and amount; those already known are left as they are.
    mutating func take(_ events: [Event]) {
        for event in events {
            let key = Key(run: run, sequence: event.sequence)
            let index = entries.firstIndex { $0.key.run < run || $0.key.sequence <= key.sequence } ?? entries.endIndex
            if index < entries.endIndex, entries[index].key == key { continue }
            entries.insert(Entry(key: key, event: event), at: index)
        }
        if entries.count > Self.limit { entries.removeLast(entries.count - Self.limit) }
    }
}

/// A row of the events pane: what is broken now comes before what has happened.
enum EventRowID: Hashable, Sendable {
    case fault(Subject, String)
    case event(EventLog.Key)
}
