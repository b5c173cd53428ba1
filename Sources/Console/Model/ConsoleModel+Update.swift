import ControlProtocol

extension ConsoleModel {
    /// Moves the console on by one input; what is to be done outside comes back. Nothing else changes the model.
    public mutating func update(_ input: ConsoleInput) -> [ConsoleEffect] {
        var effects: [ConsoleEffect] = []
        switch input {
        case .key(let key): effects = take(key)
        case .resize(let columns, let rows):
            self.columns = min(max(columns, 0), 1000)
            self.rows = min(max(rows, 0), 1000)
            setTier(Tier.of(columns: self.columns, rows: self.rows, current: isSized ? tier : nil))
            isSized = true
        case .snapshot(let snapshot): effects = take(snapshot)
        case .event(let event): effects = take([event])
        case .events(let events): effects = take(events)
        case .traffic(let view): live.traffic.take(view, now: now)
        case .reply(let id, let outcome): effects = take(id, outcome)
        case .connection(let state): effects = take(state)
        case .tick(let time):
            now = time
            expire()
        case .theme(let name, let result): take(name, result)
        }
        let isOurDoing: Bool
        if case .key = input { isOurDoing = true } else { isOurDoing = false }
        settle(anchored: !isOurDoing)
        return effects + resubscribe()
    }

    private mutating func take(_ snapshot: Snapshot) -> [ConsoleEffect] {
        now = max(now, snapshot.time)
        let isFirst = live.snapshot == nil
        let isRestart = live.snapshot.map { $0.engine.startedAt != snapshot.engine.startedAt } ?? false
        live.snapshot = snapshot
        live.time = now
        if isRestart {
            live.rates = RateBook()
            live.events.beginRun()
            live.traffic = TrafficLog(selector: live.traffic.selector)
        }
        live.rates.take(snapshot, now: now)
        if isFirst { place = places().first ?? .shelf }
        return isRestart ? askForEvents() : []
    }

    private mutating func take(_ events: [Event]) -> [ConsoleEffect] {
        let isNewFault = events.contains { $0.severity == .fault && $0.sequence > live.events.lastSequence }
        live.events.take(events)
        return isNewFault && events.count == 1 ? [.bell] : []
    }

    private mutating func take(_ id: UInt64, _ outcome: Outcome) -> [ConsoleEffect] {
        if id == eventRequest {
            eventRequest = nil
            guard case .events(let events) = outcome else { return [] }
            live.events.take(events)
            return []
        }
        guard let request = pending.removeValue(forKey: id) else { return [] }
        switch outcome {
        case .done(let sentence):
            notice = Notice(text: sentence.isEmpty ? "\(request.label): done" : sentence, role: .good, until: now + 8)
            if var undo = request.undo {
                undo.until = now + Undo.seconds
                undos.append(undo)
            }
            if request.isPlug { firstSteps = nil }
        case .failed(let reason):
            notice = Notice(text: "\(request.label): \(reason)", role: .bad, until: now + 60)
            return [.bell]
        case .snapshot, .events: break
        }
        return []
    }

    private mutating func take(_ state: ConnectionState) -> [ConsoleEffect] {
        // Every retry is the same loss: its age is that of the first.
        if state == .connected || connection == .connected || connectionSince == 0 { connectionSince = now }
        connection = state
        guard state == .connected else {
            if case .lost(let reason, _) = state, !pending.isEmpty {
                let labels = pending.values.map(\.label).sorted().joined(separator: ", ")
                notice = Notice(text: "\(labels): outcome unknown, \(reason)", role: .bad, until: now + 60)
                pending = [:]
            }
            armed = nil
            return []
        }
        subscription = nil
        return askForEvents()
    }

    private mutating func askForEvents() -> [ConsoleEffect] {
        let id = nextID
        nextID += 1
        eventRequest = id
        return [.send(id: id, .events(after: live.events.lastSequence, limit: 500))]
    }

    private mutating func take(_ name: String, _ result: ThemeResult) {
        switch result {
        case .loaded: theme = name
        case .failed(let reason): notice = Notice(text: "theme '\(name)': \(reason)", role: .bad, until: now + 30)
        }
    }

    private mutating func expire() {
        if let until = armed?.until, until <= now { armed = nil }
        if let until = notice?.until, until <= now { notice = nil }
        undos.removeAll { $0.until <= now }
    }

    /// Asks for the traffic of what is looked at now, when that changed.
    private mutating func resubscribe() -> [ConsoleEffect] {
        // What is gone cannot be subscribed to.
        let wanted = trafficSelector.flatMap { selector in
            live.device(selector.device).map { device in
                let interface = selector.interface.flatMap { device.interface($0)?.name }
                return TrafficSelector(device: device.name, interface: interface)
            }
        }
        if live.traffic.selector != wanted {
            live.traffic = TrafficLog(selector: wanted)
            transferCursor = nil
        }
        guard connection == .connected else { return [] }
        let new = Subscription(snapshots: true, events: true, traffic: wanted)
        guard new != subscription else { return [] }
        subscription = new
        return [.subscribe(new)]
    }

    /// Sends a command; its label says what is under way, and in an answer what it was.
    mutating func send(_ command: Command, _ label: String, undo: Undo? = nil, isPlug: Bool = false) -> ConsoleEffect {
        let id = nextID
        nextID += 1
        pending[id] = Pending(label: label, sentAt: now, undo: undo, isPlug: isPlug)
        notice = nil
        return .send(id: id, command)
    }

    mutating func tell(_ text: String, _ role: StyleRole = .warn, seconds: Double = 8) {
        notice = Notice(text: text, role: role, until: now + seconds)
    }
}
