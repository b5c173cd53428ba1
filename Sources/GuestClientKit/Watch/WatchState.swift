/// What a watch wants and knows, without sockets and clocks: what happened goes in, what to do comes out.
///
/// The host decides what belongs to this guest and says it again on each new connection. The guest decides what stays
/// away: what its own user detached or removed does not come back by itself.
struct WatchState {
    enum Action: Equatable {
        case send(WatchReply)
        /// The outcome is told by ``WatchState/attached(_:_:now:)``.
        case attach(busID: String)
        /// Takes a port's device out.
        case detach(port: Int)
        /// Removes the record of a port that is free.
        case forget(port: Int)
        /// For the operator of the guest.
        case say(String)
    }

    /// How a port of ours looks.
    enum PortView: Equatable {
        case attached
        /// sysfs `remove`: the connection stands, the device is gone.
        case removed
        /// The port is free and still has its record: nobody in this guest did it.
        case lost
        /// The port is free, or somebody else's, without our record: the guest's user did it.
        case givenBack
    }

    private struct Device: Equatable {
        var name: String
        var port: Int?
        /// Of a device that was attached and got lost.
        var backoff = Backoff()
        var retryAt: Int64?
    }

    private let policy: WatchPolicy
    private var devices: [String: Device] = [:]
    /// What must stay away when the host says it again after the loss of the connection: the host cannot know.
    private var declined: [String: String] = [:]
    /// What the host was told to stay away and may not have heard: it has said nothing since. A host that dies ends the
    /// device's link and this connection at once, and either may be seen first.
    private var untaken: [String: String] = [:]
    private(set) var isConnected = false

    init(_ policy: WatchPolicy) { self.policy = policy }

    /// Ports to look at, with the bus ids that should be there.
    var ports: [Int: String] {
        var ports: [Int: String] = [:]
        for (busID, device) in devices { if let port = device.port { ports[port] = busID } }
        return ports
    }

    /// When ``due(now:)`` has something to do.
    var nextDue: Int64? { devices.values.compactMap(\.retryAt).min() }

    // MARK: The connection

    mutating func connected() { isConnected = true }

    mutating func disconnected() {
        isConnected = false
        declined.merge(untaken) { $1 }
        untaken = [:]
        // What is not attached, the host will say again.
        devices = devices.filter { $0.value.port != nil }
    }

    mutating func received(_ message: WatchMessage) -> [Action] {
        untaken = [:]
        switch message {
        case .attach(let busID, let name): return wanted(busID, name)
        case .detach(let busID): return unwanted(busID)
        case .ping: return [.send(.pong)]
        case .hello, .refused, .unknown: return []
        }
    }

    private mutating func wanted(_ busID: String, _ name: String) -> [Action] {
        guard policy.only.isEmpty || policy.only.contains(name) || policy.only.contains(busID) else {
            return [.send(.failed(busID: busID, reason: "the guest's watch takes only other devices (--only)"))]
        }
        if let reason = declined.removeValue(forKey: busID) { return [.send(.failed(busID: busID, reason: reason))] }
        if let port = devices[busID]?.port { return [.send(.attached(busID: busID, port: port))] }
        devices[busID] = Device(name: name)
        return [.attach(busID: busID)]
    }

    private mutating func unwanted(_ busID: String) -> [Action] {
        declined[busID] = nil
        let device = devices.removeValue(forKey: busID)
        var actions: [Action] = []
        if let device, let port = device.port {
            actions = [.detach(port: port), .say("\(device.name) (\(busID)) unplugged by the host")]
        }
        return actions + [.send(.detached(busID: busID))]
    }

    // MARK: Ports

    /// How an attempt ended.
    mutating func attached(_ busID: String, _ result: Result<Int, GuestError>, now: Int64) -> [Action] {
        guard var device = devices[busID] else { return [] }
        let isFirst = device.backoff == Backoff()
        device.retryAt = nil
        switch result {
        case .success(let port):
            device.port = port
            device.backoff.reset()
            devices[busID] = device
            return [
                .say("\(device.name) (\(busID)) attached to port \(port)"), .send(.attached(busID: busID, port: port)),
            ]
        case .failure(let error) where isFirst:
            devices[busID] = nil
            return [
                .say("\(device.name) (\(busID)) not attached: \(error)"),
                .send(.failed(busID: busID, reason: error.description)),
            ]
        case .failure:
            device.retryAt = now + device.backoff.wait()
            devices[busID] = device
            return []
        }
    }

    /// What was seen at one of ``ports``.
    mutating func saw(_ view: PortView, at port: Int, now: Int64) -> [Action] {
        guard let (busID, device) = devices.first(where: { $0.value.port == port }) else { return [] }
        switch view {
        case .attached: return []
        case .removed:
            return [.detach(port: port)] + givenBack(busID, device, "removed in the guest")
        case .givenBack:
            return givenBack(busID, device, "detached in the guest")
        case .lost:
            return [.forget(port: port)] + lost(busID, device, now)
        }
    }

    private mutating func givenBack(_ busID: String, _ device: Device, _ how: String) -> [Action] {
        [.say("\(device.name) (\(busID)) \(how); it stays away until the host plugs it again")]
            + keepAway(busID, because: "it was \(how)")
    }

    private mutating func lost(_ busID: String, _ device: Device, _ now: Int64) -> [Action] {
        guard policy.reattaches else {
            return [.say("\(device.name) (\(busID)) lost; not attached again by itself (--no-reattach)")]
                + keepAway(busID, because: "it was lost, and the guest's watch does not attach again by itself")
        }
        guard isConnected else {
            // On the next connection the host says whether it is still ours.
            devices[busID] = nil
            return [.say("\(device.name) (\(busID)) lost")]
        }
        var device = device
        device.port = nil
        device.retryAt = now + device.backoff.wait()
        devices[busID] = device
        return [.say("\(device.name) (\(busID)) lost; attaching it again")]
    }

    /// The host is told at once, or when it says the device again.
    private mutating func keepAway(_ busID: String, because reason: String) -> [Action] {
        devices[busID] = nil
        guard isConnected else {
            declined[busID] = reason
            return []
        }
        untaken[busID] = reason
        return [.send(.detached(busID: busID))]
    }

    // MARK: Time

    /// Starts the attempts whose time has come.
    mutating func due(now: Int64) -> [Action] {
        let ready = devices.filter { ($0.value.retryAt ?? .max) <= now }.keys.sorted()
        for busID in ready { devices[busID]?.retryAt = nil }
        return ready.map { .attach(busID: $0) }
    }
}
