/// Reads one YAML document into the values that JSON has; plain scalars mean what YAML 1.2's core schema says.
///
/// Built from events and without recursion: depth is bounded, and what aliases repeat counts each time, before any of it
/// is there. Keys are text, none stands twice, and `<<` merges.
struct YAMLReader {
    static let maximumDepth = 100
    /// Bytes of text, and a few for each value, aliases counted as what they stand for.
    static let maximumCost = 4 * ServiceDocument.maximumBytes
    private static let valueCost = 8

    /// A sequence or mapping that has begun.
    private struct Frame {
        var items: [JSON] = []
        var members: [String: JSON] = [:]
        /// What `<<` brought; the mapping's own members stand above it.
        var merged: [String: JSON] = [:]
        let isMapping: Bool
        var key: String?
        var isMerge = false
        let anchor: String?
        /// Before it began.
        let cost: Int
    }

    private let events: YAMLEvents
    private var frames: [Frame] = []
    private var anchors: [String: (value: JSON, cost: Int)] = [:]
    private var cost = 0
    private var root: JSON?

    /// - Throws: `ContractError.badYAML` with the line, or `.tooLarge`.
    static func read(_ bytes: [UInt8]) throws(ContractError) -> JSON {
        try bytes.withUnsafeBufferPointer { (bytes) throws(ContractError) -> JSON in
            var reader = YAMLReader(events: try YAMLEvents(bytes))
            return try reader.read()
        }
    }

    private init(events: YAMLEvents) { self.events = events }

    private mutating func read() throws(ContractError) -> JSON {
        while true {
            switch try events.next() {
            case .documentStart:
                guard root == nil else { throw bad("a second document begins") }
            case .documentEnd: break
            case .streamEnd: return root ?? .null
            case .alias(let name):
                guard let known = anchors[name] else { throw bad("no value is known as '\(name.prefix(80))'") }
                try spend(known.cost)
                try add(known.value)
            case .scalar(let text, let anchor, let isPlain, let tag):
                try spend(text.utf8.count + Self.valueCost)
                if let key = frames.last, key.isMapping, key.key == nil {
                    try begin(member: text, isPlain: isPlain)
                    if let anchor { anchors[anchor] = (.string(text), text.utf8.count + Self.valueCost) }
                    continue
                }
                let value = isPlain && tag == nil ? Self.plain(text) : .string(text)
                if let anchor { anchors[anchor] = (value, text.utf8.count + Self.valueCost) }
                try add(value)
            case .sequenceStart(let anchor): try begin(isMapping: false, anchor)
            case .mappingStart(let anchor): try begin(isMapping: true, anchor)
            case .end: try end()
            }
        }
    }

    private func bad(_ reason: String) -> ContractError { .badYAML("\(reason) (line \(events.line))") }

    private mutating func spend(_ bytes: Int) throws(ContractError) {
        cost += bytes
        guard cost <= Self.maximumCost else {
            throw .tooLarge("its values come to more than \(Self.maximumCost) bytes")
        }
    }

    private mutating func begin(isMapping: Bool, _ anchor: String?) throws(ContractError) {
        guard frames.count < Self.maximumDepth else {
            throw .tooLarge("it is nested deeper than \(Self.maximumDepth) levels (line \(events.line))")
        }
        if let last = frames.last, last.isMapping, last.key == nil { throw bad("a key is not text") }
        frames.append(Frame(isMapping: isMapping, anchor: anchor, cost: cost))
        try spend(Self.valueCost)
    }

    private mutating func begin(member name: String, isPlain: Bool) throws(ContractError) {
        let top = frames.count - 1
        frames[top].isMerge = isPlain && name == "<<"
        guard frames[top].isMerge || frames[top].members[name] == nil else {
            throw bad("'\(name.prefix(80))' stands twice in one mapping")
        }
        frames[top].key = name
    }

    private mutating func end() throws(ContractError) {
        guard let frame = frames.popLast() else { throw bad("nothing has begun that could end") }
        let value: JSON =
            frame.isMapping
            ? .object(frame.merged.isEmpty ? frame.members : frame.members.merging(frame.merged) { own, _ in own })
            : .array(frame.items)
        if let anchor = frame.anchor { anchors[anchor] = (value, cost - frame.cost) }
        try add(value)
    }

    /// A value, where it belongs.
    private mutating func add(_ value: JSON) throws(ContractError) {
        guard let top = frames.indices.last else {
            root = value
            return
        }
        guard frames[top].isMapping else {
            frames[top].items.append(value)
            return
        }
        guard let key = frames[top].key else { throw bad("a key is an alias") }
        frames[top].key = nil
        guard frames[top].isMerge else {
            frames[top].members[key] = value
            return
        }
        for source in value.array ?? [value] {
            guard let members = source.object else { throw bad("'<<' merges what is no mapping") }
            frames[top].merged.merge(members) { earlier, _ in earlier }
        }
    }

    // MARK: Scalars

    /// A plain scalar by the core schema (YAML 1.2.2 section 10.3.2).
    static func plain(_ text: String) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        // Most are words.
        guard let first = text.utf8.first, first < 0x3A, text.utf8.count <= 64 else { return .string(text) }
        if text.hasPrefix("0x"), let number = Int64(text.dropFirst(2), radix: 16), number >= 0 {
            return .integer(number)
        }
        if text.hasPrefix("0o"), let number = Int64(text.dropFirst(2), radix: 8), number >= 0 {
            return .integer(number)
        }
        guard isNumber(text) else { return .string(text) }
        if let number = Int64(text) { return .integer(number) }
        guard let number = Double(text), number.isFinite else { return .string(text) }
        return .number(number)
    }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func take(_ bytes: String) -> Bool {
            guard let first = rest.first, bytes.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        func takeDigits() -> Int {
            let digits = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(digits)
            return digits
        }
        _ = take("-+")
        let whole = takeDigits()
        let fraction = take(".") ? takeDigits() : 0
        guard whole + fraction > 0 else { return false }
        if take("eE") {
            _ = take("-+")
            guard takeDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
