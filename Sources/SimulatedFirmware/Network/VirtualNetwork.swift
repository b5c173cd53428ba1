import DequeModule
import Synchronization

/// A named network between interfaces of devices, which may live on different event loops.
///
/// Point-to-point joins two members and loses nothing while both are up: a sender is told to wait. Point-to-multipoint
/// is a switch that drops what a slow member does not take. Frames never leave their network.
final class VirtualNetwork: Sendable {
    /// Bytes that wait for one member; at least one block of a host goes in beyond it.
    static let inboxLimit = 256 * 1024
    /// Seconds after which a member of a point-to-point network that takes nothing counts as not listening: its guest
    /// has taken the interface down, and must not hold up the other one for ever.
    static let patience = 10.0

    struct Member {
        let name: String
        let address: MACAddress
        let allowsAnySource: Bool
        let wake: @Sendable () -> Void
        var isUp = false
        var inbox: Deque<[UInt8]> = []
        var inboxBytes = 0
        /// When it last took something, or had nothing to take; seconds.
        var attentive = 0.0
        /// Somebody waits for room in its inbox.
        var isAwaited = false
        var isWoken = false
        var storm = StormLimit()
        var counters = NetworkCounters()
    }

    private struct State {
        var members: [Int: Member] = [:]
        var table = ForwardingTable()
        var nextID = 0
        var wakes: [@Sendable () -> Void] = []

        mutating func wake(_ id: Int) {
            guard let member = members[id], !member.isWoken else { return }
            members[id]?.isWoken = true
            wakes.append(member.wake)
        }

        /// Empties an inbox and lets go who waits for room in it.
        mutating func clear(_ id: Int) {
            guard let member = members[id] else { return }
            members[id]?.counters.overrun &+= UInt64(member.inbox.count)
            members[id]?.inbox.removeAll()
            members[id]?.inboxBytes = 0
            release(id)
        }

        mutating func release(_ id: Int) {
            guard members[id]?.isAwaited == true else { return }
            members[id]?.isAwaited = false
            for other in members.keys where other != id { wake(other) }
        }
    }

    let name: String
    let topology: NetworkTarget.Topology
    private let state = Mutex(State())

    init(name: String, topology: NetworkTarget.Topology) {
        self.name = name
        self.topology = topology
    }

    /// Changes the state, then wakes whom the change concerns, outside the lock.
    private func change<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> Value {
        let (value, wakes) = state.withLock { state in
            let value = body(&state)
            let wakes = state.wakes
            state.wakes = []
            return (value, wakes)
        }
        for wake in wakes { wake() }
        return value
    }

    // MARK: Membership

    /// - Parameter wake: called on any thread when there is something to take, room to send, or another carrier.
    /// - Throws: `CatalogueError.networkFull` for the third of two.
    func join(
        _ name: String, address: MACAddress, allowsAnySource: Bool, wake: @escaping @Sendable () -> Void
    ) throws(CatalogueError) -> Int {
        let id: Int? = change { state in
            if topology == .pointToPoint, state.members.count >= 2 { return nil }
            state.nextID += 1
            state.members[state.nextID] = Member(
                name: name, address: address, allowsAnySource: allowsAnySource, wake: wake)
            return state.nextID
        }
        guard let id else { throw .networkFull(self.name, members: memberNames) }
        return id
    }

    func leave(_ id: Int) {
        change { state in
            state.clear(id)
            state.members[id] = nil
            state.table.forget(member: id)
            for other in state.members.keys { state.wake(other) }
        }
    }

    var memberNames: [String] { state.withLock { $0.members.values.map(\.name).sorted() } }

    /// Its guest has, or has no more, the data interface in use.
    func set(_ id: Int, isUp: Bool, now: Double) {
        change { state in
            guard state.members[id]?.isUp != isUp else { return }
            state.members[id]?.isUp = isUp
            state.members[id]?.attentive = now
            state.clear(id)
            if !isUp { state.table.forget(member: id) }
            for other in state.members.keys where other != id { state.wake(other) }
        }
    }

    /// Whether there is somebody at the other end; a switch is always there.
    func hasCarrier(_ id: Int) -> Bool {
        topology == .multipoint || state.withLock { $0.members.contains { $0.key != id && $0.value.isUp } }
    }

    /// The other members' names and whether they are up.
    func others(_ id: Int) -> [(name: String, isUp: Bool)] {
        state.withLock { state in
            state.members.filter { $0.key != id }.map { ($0.value.name, $0.value.isUp) }
        }.sorted { $0.0 < $1.0 }
    }

    func counters(_ id: Int) -> NetworkCounters { state.withLock { $0.members[id]?.counters ?? NetworkCounters() } }

    func countMalformed(_ id: Int, _ count: Int) {
        state.withLock { $0.members[id]?.counters.malformed &+= UInt64(count) }
    }

    // MARK: Frames

    /// The member's loop has been woken and looks at everything now.
    func woken(_ id: Int) { state.withLock { $0.members[id]?.isWoken = false } }

    /// Takes frames off the front of `frames`; what is left must wait until the member is woken.
    func send(_ frames: Deque<[UInt8]>, from id: Int, now: Double) -> Int {
        change { state in
            var taken = 0
            for frame in frames {
                let isTaken =
                    topology == .pointToPoint
                    ? pass(frame, from: id, now: now, &state) : route(frame, from: id, now: now, &state)
                guard isTaken else { break }
                taken += 1
            }
            return taken
        }
    }

    /// Frames for the member, as long as `fits` takes them.
    func take(_ id: Int, now: Double, _ fits: ([UInt8]) -> Bool) {
        change { state in
            while let frame = state.members[id]?.inbox.first, fits(frame) {
                state.members[id]?.inbox.removeFirst()
                state.members[id]?.inboxBytes -= frame.count
                state.members[id]?.counters.received &+= 1
            }
            state.members[id]?.attentive = now
            if let member = state.members[id], member.isAwaited, member.inboxBytes <= Self.inboxLimit / 2 {
                state.release(id)
            }
        }
    }

    func hasFrames(for id: Int) -> Bool { state.withLock { $0.members[id]?.inbox.isEmpty == false } }

    private func pass(_ frame: [UInt8], from id: Int, now: Double, _ state: inout State) -> Bool {
        // Only the key is kept: a copy of the member would make each change of its inbox a copy.
        guard let peer = state.members.first(where: { $0.key != id && $0.value.isUp })?.key,
            let waiting = state.members[peer]?.inboxBytes, let attentive = state.members[peer]?.attentive
        else {
            state.members[id]?.counters.unconnected &+= 1
            return true
        }
        if waiting >= Self.inboxLimit {
            guard now - attentive >= Self.patience else {
                state.members[peer]?.isAwaited = true
                return false
            }
            state.members[peer]?.counters.overrun &+= 1
            return true
        }
        deliver(frame, to: peer, now: now, &state)
        state.members[id]?.counters.sent &+= 1
        return true
    }

    private func route(_ frame: [UInt8], from id: Int, now: Double, _ state: inout State) -> Bool {
        guard let sender = state.members[id], let destination = MACAddress(frame, at: 0),
            let source = MACAddress(frame, at: 6)
        else { return true }
        let isOthers = state.members.contains { $0.key != id && $0.value.address == source }
        guard source == sender.address || sender.allowsAnySource && !source.isMulticast && !isOthers else {
            state.members[id]?.counters.spoofed &+= 1
            return true
        }
        state.table.learn(source, at: id, now: now)
        var receivers: [Int] = []
        if !destination.isMulticast, let known = owner(of: destination, now: now, state) {
            receivers = known == id ? [] : [known]
        } else {
            guard state.members[id]?.storm.admits(now: now) == true else {
                state.members[id]?.counters.storm &+= 1
                return true
            }
            receivers = state.members.keys.filter { $0 != id }
        }
        receivers = receivers.filter { state.members[$0]?.isUp == true }
        if receivers.isEmpty {
            state.members[id]?.counters.unconnected &+= 1
        } else {
            state.members[id]?.counters.sent &+= 1
        }
        for receiver in receivers {
            if let bytes = state.members[receiver]?.inboxBytes, bytes >= Self.inboxLimit {
                state.members[receiver]?.counters.overrun &+= 1
            } else {
                deliver(frame, to: receiver, now: now, &state)
            }
        }
        return true
    }

    private func owner(of address: MACAddress, now: Double, _ state: State) -> Int? {
        state.members.first { $0.value.address == address }?.key ?? state.table.member(of: address, now: now)
    }

    private func deliver(_ frame: [UInt8], to id: Int, now: Double, _ state: inout State) {
        if state.members[id]?.inbox.isEmpty == true { state.members[id]?.attentive = now }
        state.members[id]?.inbox.append(frame)
        state.members[id]?.inboxBytes += frame.count
        state.wake(id)
    }
}
