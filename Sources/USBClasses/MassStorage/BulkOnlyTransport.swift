/// Bulk-Only Transport 1.0 from the device's side, for one command at a time: bytes and events in, effects out.
///
/// What host and device mean to transfer is compared before anything is carried out, by the thirteen cases of section
/// 6.7; a disagreement moves no data and ends in a phase error, or in a stall and a residue.
public struct BulkOnlyTransport: Sendable {
    /// What the device must do now, in order.
    public enum Effect: Sendable, Equatable {
        /// Carry out the command, with the data that the host has sent; answer with `finished`.
        case execute(CommandBlockWrapper, data: [UInt8])
        /// Queue one message for the bulk IN endpoint; tell with `sent` when the host has taken everything.
        case send([UInt8])
        case haltIn
        case haltOut
    }

    /// What a command means to transfer, found before it is carried out.
    public enum Intent: Sendable, Equatable {
        case none
        /// To the host, at most this many bytes.
        case send(Int)
        /// From the host.
        case receive(Int)
        /// Nothing, since it fails: what the host sends is thrown away.
        case fail
    }

    /// How a command ended.
    public enum Outcome: Sendable, Equatable {
        case passed([UInt8] = [])
        case failed
    }

    enum Phase: Sendable, Equatable {
        case ready
        /// The first `wanted` bytes are kept.
        case receiving(CommandBlockWrapper, missing: Int, wanted: Int)
        /// Data that nobody wants passes, then `status` goes out.
        case discarding(missing: Int, status: CommandStatusWrapper)
        case executing(CommandBlockWrapper)
        /// Short data is on its way; then the endpoint halts.
        case sendingShort(status: CommandStatusWrapper)
        /// Until the host clears the halt.
        case halted(status: CommandStatusWrapper)
        case sendingStatus
        /// Until reset recovery (section 5.3.4).
        case broken
    }

    /// Bytes that one command may move; a longer one must have `Intent.fail`.
    public static let maximumTransfer = 1 << 20

    private(set) var phase = Phase.ready
    private var received: [UInt8] = []

    public init() {}

    /// Bytes of the host are wanted now; otherwise it waits.
    public var takesData: Bool {
        switch phase {
        case .ready, .receiving, .discarding: true
        default: false
        }
    }

    /// What was sent is to be taken by the host before anything else happens.
    public var awaitsTaking: Bool {
        switch phase {
        case .sendingShort, .sendingStatus: true
        default: false
        }
    }

    /// An endpoint is halted until the host clears it.
    public var isHalted: Bool {
        switch phase {
        case .halted, .broken: true
        default: false
        }
    }

    /// One bulk OUT transfer; `intent` is asked of a command that begins.
    public mutating func received(_ bytes: [UInt8], intent: (CommandBlockWrapper) -> Intent) -> [Effect] {
        switch phase {
        case .ready:
            // A zero-length packet after data of full packets belongs to the command before.
            if bytes.isEmpty { return [] }
            guard let command = CommandBlockWrapper(bytes: bytes) else {
                phase = .broken
                return [.haltIn, .haltOut]
            }
            return begin(command, intent(command))
        case .receiving(let command, let missing, let wanted):
            // More than announced (section 6.7.3 knows no such host): nothing is to come any more.
            guard bytes.count <= missing else { return send(Self.status(of: command, used: 0, .phaseError)) }
            received += bytes.prefix(max(0, wanted - received.count))
            if bytes.count < missing {
                phase = .receiving(command, missing: missing - bytes.count, wanted: wanted)
                return []
            }
            return execute(command)
        case .discarding(let missing, let status):
            if bytes.count < missing {
                phase = .discarding(missing: missing - bytes.count, status: status)
                return []
            }
            return send(status)
        default:
            return []
        }
    }

    /// The end of what `execute` began.
    public mutating func finished(_ outcome: Outcome) -> [Effect] {
        guard case .executing(let command) = phase else { return [] }
        let expected = Int(command.transferLength)
        guard expected > 0, command.isIn else {
            let used = outcome == .failed ? 0 : received.count
            received = []
            return send(Self.status(of: command, used: used, outcome == .failed ? .failed : .passed))
        }
        guard case .passed(let data) = outcome else {
            // Case 4.
            return halt(Self.status(of: command, used: 0, .failed))
        }
        let status = Self.status(of: command, used: data.count, .passed)
        if data.count >= expected {
            // Case 6; a command that would send more has ended in a phase error.
            return [.send(Array(data.prefix(expected)))] + send(status)
        }
        // Cases 4 and 5: short data, then a stall.
        if data.isEmpty { return halt(status) }
        phase = .sendingShort(status: status)
        return [.send(data)]
    }

    /// The host has taken all that was sent, and not just now been given more.
    public mutating func sent() -> [Effect] {
        switch phase {
        case .sendingShort(let status): return halt(status)
        case .sendingStatus:
            phase = .ready
            return []
        default: return []
        }
    }

    /// CLEAR_FEATURE(ENDPOINT_HALT) for one of the two endpoints.
    public mutating func haltCleared(isIn: Bool) -> [Effect] {
        switch phase {
        case .halted(let status) where isIn: send(status)
        // Only a reset helps (section 6.6.1).
        case .broken: [isIn ? .haltIn : .haltOut]
        default: []
        }
    }

    /// Bulk-Only Mass Storage Reset, or the beginning of a configuration. Halts stay (section 3.1).
    public mutating func reset() {
        phase = .ready
        received = []
    }

    // MARK: Inside

    private mutating func begin(_ command: CommandBlockWrapper, _ intent: Intent) -> [Effect] {
        let expected = Int(command.transferLength)
        received = []
        switch intent {
        case .none, .fail:
            // Cases 1, 4 and 9; what the host sends in case 9 is accepted and dropped.
            if expected > 0, !command.isIn {
                phase = .receiving(command, missing: expected, wanted: 0)
                return []
            }
            return execute(command)
        case .send(let length):
            if length == 0 { return begin(command, .none) }
            // Cases 2, 7 and 10.
            guard expected > 0, command.isIn, length <= expected else { return phaseError(command) }
            return execute(command)
        case .receive(let length):
            if length == 0 { return begin(command, .none) }
            // Cases 3, 8 and 13.
            guard expected > 0, !command.isIn, length <= expected, length <= Self.maximumTransfer else {
                return phaseError(command)
            }
            // Cases 11 and 12.
            received.reserveCapacity(length)
            phase = .receiving(command, missing: expected, wanted: length)
            return []
        }
    }

    private mutating func execute(_ command: CommandBlockWrapper) -> [Effect] {
        phase = .executing(command)
        return [.execute(command, data: received)]
    }

    private mutating func phaseError(_ command: CommandBlockWrapper) -> [Effect] {
        received = []
        let status = Self.status(of: command, used: 0, .phaseError)
        let expected = Int(command.transferLength)
        if expected == 0 { return send(status) }
        if command.isIn { return halt(status) }
        phase = .discarding(missing: expected, status: status)
        return []
    }

    private mutating func halt(_ status: CommandStatusWrapper) -> [Effect] {
        phase = .halted(status: status)
        return [.haltIn]
    }

    private mutating func send(_ status: CommandStatusWrapper) -> [Effect] {
        phase = .sendingStatus
        return [.send(status.bytes)]
    }

    private static func status(
        of command: CommandBlockWrapper, used: Int, _ status: CommandStatusWrapper.Status
    ) -> CommandStatusWrapper {
        CommandStatusWrapper(
            tag: command.tag,
            residue: command.transferLength - UInt32(clamping: min(used, Int(command.transferLength))),
            status: status)
    }
}
