import DequeModule
import USBCore

/// A device whose behaviour is written in Swift: functions behind USB 2.0 / 3.2 chapter 9.
///
/// Confined to one event loop, like its port and its functions.
public final class SimulatedDevice: Firmware {
    /// Not held, and not weak for speed: a port takes itself out of its firmware before it goes.
    public var port: DevicePort? {
        get { portReference?.takeUnretainedValue() }
        set { portReference = newValue.map(Unmanaged.passUnretained) }
    }
    @exclusivity(unchecked) private var portReference: Unmanaged<DevicePort>?
    public let identity: DeviceIdentity
    public let functions: [any Function]
    public let speeds: Set<Speed>
    /// Paces isochronous transfers; without it they fail. Set it before the device is connected.
    public var frameClock: (any FrameClock)?

    // What each transfer touches is exempt from run-time exclusivity checks: everything is on one loop, and nothing
    // outside is called while it is accessed.
    @exclusivity(unchecked) private(set) var gates: [Gate]
    @exclusivity(unchecked) var state = ConnectionState()
    /// Of the alternate settings in force.
    @exclusivity(unchecked) var endpoints = EndpointTable()
    private var contexts: [Context] = []

    /// What lasts from connect to disconnect.
    struct ConnectionState {
        /// Tells this connection from the next, for what was interrupted by an unplug.
        var number = 0
        var composition: Composition?
        var address: UInt8 = 0
        var configuration: UInt8 = 0
        var alternateSettings: [UInt8: UInt8] = [:]
        var announcedEnumeration = false
        var u1Enabled = false
        var u2Enabled = false
    }

    deinit {
        for context in contexts { context.deviceIsGoing() }
    }

    /// - Parameter speeds: what the operator allows; cut to what all functions can do (bulk does not exist at low speed).
    public init(
        identity: DeviceIdentity, functions: [any Function], speeds: Set<Speed> = [.full, .high, .super]
    ) throws(CompositionError) {
        guard !functions.isEmpty else { throw .noFunctions }
        var names: Set<String> = []
        for function in functions where !names.insert(function.name).inserted {
            throw .duplicateName(function.name)
        }
        self.identity = identity
        self.functions = functions
        gates = functions.map { _ in .on }
        var possible = speeds
        let types = functions.flatMap { $0.declaration(at: .full).interfaces }.flatMap(\.alternates)
            .flatMap(\.endpoints).map(\.type)
        if types.contains(.bulk) || types.contains(.isochronous) { possible.remove(.low) }
        self.speeds = possible
        guard !possible.isEmpty else { throw .noPossibleSpeed(asked: speeds) }
        // Whatever is hidden later, all functions together must fit: numbers are given out over all of them.
        for speed in possible.sorted() {
            _ = try Composition(identity: identity, functions: functions, isHidden: { _ in false }, at: speed)
        }
        for (index, function) in functions.enumerated() {
            let context = Context(device: self, function: index)
            contexts.append(context)
            function.attach(context)
        }
    }

    // MARK: Gates

    public func gate(of name: String) -> Gate? {
        functions.firstIndex { $0.name == name }.map { gates[$0] }
    }

    /// Switches one function; hiding and showing make a connected device re-enumerate, muting does not.
    ///
    /// - Returns: false when there is no function of that name.
    @discardableResult
    public func setGate(_ gate: Gate, of name: String) -> Bool {
        guard let index = functions.firstIndex(where: { $0.name == name }) else { return false }
        let before = gates[index]
        guard before != gate else { return true }
        gates[index] = gate
        if (before == .hidden) != (gate == .hidden) {
            port?.requestReconnect()
        } else if gate == .on {
            for queue in queues(of: index) { pump(queue) }
        }
        return true
    }

    /// How many functions the guest would see.
    public var visibleFunctionCount: Int { gates.count { $0 != .hidden } }

    /// Queues of a function's endpoints now in force, in address order, for listings.
    public func endpointSummaries(of name: String) -> [EndpointSummary] {
        guard let index = functions.firstIndex(where: { $0.name == name }) else { return [] }
        return queues(of: index).map {
            EndpointSummary(
                address: $0.address, type: $0.owner.descriptor.type, maxPacketSize: $0.owner.descriptor.maxPacketSize,
                isHalted: $0.isHalted, pending: $0.transfers.count)
        }
    }

    /// The function that owns an endpoint or interface in force.
    public func functionName(endpoint: EndpointAddress) -> String? {
        endpoints[endpoint].map { functions[$0.owner.function].name }
    }

    /// The function that owns a bInterfaceNumber.
    public func functionName(interface: UInt8) -> String? {
        guard let owners = state.composition?.interfaces, owners.indices.contains(Int(interface)) else { return nil }
        return functions[owners[Int(interface)].function].name
    }

    /// The first bInterfaceNumber of a function while connected and visible.
    public func interfaceNumber(of name: String) -> UInt8? {
        guard let index = functions.firstIndex(where: { $0.name == name }) else { return nil }
        return state.composition?.firstInterface(of: index)
    }

    /// Ends all backends; the device is not usable afterwards.
    public func shutdown() {
        port?.disconnect()
        for function in functions { function.shutdown() }
        // Whatever a backend still says on its loop is not for a device whose owner may drop it on any thread.
        for context in contexts { context.deviceIsGoing() }
    }

    /// After `shutdown`: calls `body` once no function has anything of its guest on the way to its backend.
    public func whenDrained(_ body: @escaping () -> Void) {
        var waiting = functions.count + 1
        func drained() {
            waiting -= 1
            if waiting == 0 { body() }
        }
        for function in functions { function.whenDrained(drained) }
        drained()
    }

    // MARK: Firmware

    public func enumeration(at speed: Speed) -> Enumeration {
        let composition = state.composition?.speed == speed ? state.composition : try? compose(at: speed)
        guard let composition else {
            // Cannot happen once `init` has composed all functions; a device without configurations harms nobody.
            return Enumeration(
                speed: speed,
                device: DeviceDescriptor(
                    usbRelease: 0x0200, maxPacketSize0: 64, idVendor: identity.idVendor, idProduct: identity.idProduct,
                    deviceRelease: identity.deviceRelease, configurationCount: 0),
                configurations: [])
        }
        return Enumeration(
            speed: speed, device: composition.device, configurations: [composition.configuration],
            currentConfiguration: state.configuration, alternateSettings: state.alternateSettings)
    }

    public func connect(at speed: Speed) {
        state = ConnectionState(number: state.number &+ 1)
        endpoints = EndpointTable()
        state.composition = try? compose(at: speed)
    }

    public func disconnect() {
        leaveConfiguration()
        state = ConnectionState(number: state.number &+ 1)
    }

    public func busReset() {
        leaveConfiguration()
        state.address = 0
        state.u1Enabled = false
        state.u2Enabled = false
        state.announcedEnumeration = false
    }

    public func submit(_ transfer: Transfer) {
        if transfer.endpoint.number == 0 {
            control(transfer)
            return
        }
        guard let queue = endpoints[transfer.endpoint] else {
            finish(transfer, .stall)
            return
        }
        if queue.isHalted {
            finish(transfer, .stall)
            return
        }
        if queue.schedule != nil {
            submitIsochronous(transfer, to: queue)
            return
        }
        guard transfer.endpoint.direction == .in, queue.transfers.isEmpty, !queue.isPumping,
            queue.hasPayload(for: transfer.length), canMove(queue)
        else {
            queue.transfers.append(transfer)
            pump(queue)
            return
        }
        // What can end at once does not wait.
        queue.isPumping = true
        give(transfer, from: queue)
        queue.isPumping = false
        if !queue.transfers.isEmpty { pump(queue) }
    }

    public func withdraw(_ id: TransferID, _ endpoint: EndpointAddress) {
        guard let queue = endpoints[endpoint] else { return }
        queue.withdraw(id)
    }

    // MARK: Inside

    func compose(at speed: Speed) throws(CompositionError) -> Composition {
        let gates = gates
        return try Composition(
            identity: identity, functions: functions, isHidden: { gates[$0] == .hidden }, at: speed)
    }

    func finish(
        _ transfer: Transfer, _ status: TransferStatus, data: [UInt8] = [], actualLength: Int = 0,
        packets: [IsochronousPacket] = []
    ) {
        port?.complete(
            TransferCompletion(
                id: transfer.id, endpoint: transfer.endpoint, status: status, data: data, actualLength: actualLength,
                packets: packets))
    }

    func queues(of function: Int) -> [EndpointQueue] {
        endpoints.values.filter { $0.owner.function == function }
    }

    /// Moves what can move at an endpoint: bytes into parked IN transfers, OUT transfers to their function.
    func pump(_ queue: EndpointQueue) {
        guard !queue.isPumping, queue.schedule == nil else { return }
        queue.isPumping = true
        defer { queue.isPumping = false }
        if queue.address.direction == .out {
            // Asked again only while it takes something: a function that leaves a transfer is asked at the next one.
            while !queue.transfers.isEmpty, canMove(queue) {
                let taken = queue.takenCount
                queue.handler.endpointReady(queue.key)
                if queue.takenCount == taken { break }
            }
            return
        }
        while let transfer = queue.transfers.first, queue.hasPayload(for: transfer.length), canMove(queue) {
            queue.transfers.removeFirst()
            give(transfer, from: queue)
        }
    }

    /// Ends an IN transfer with what its endpoint has; a function that has nothing left is asked for more.
    private func give(_ transfer: Transfer, from queue: EndpointQueue) {
        let payload = queue.take(upTo: transfer.length)
        let isShort = transfer.flags.contains(.shortNotOK) && payload.count < transfer.length
        finish(transfer, isShort ? .shortPacket : .success, data: payload)
        if queue.hasRoom { queue.handler.endpointReady(queue.key) }
    }

    /// Asked before each move: any completion or function may halt, mute or take away the endpoint.
    private func canMove(_ queue: EndpointQueue) -> Bool {
        !queue.isHalted && gates[queue.function] == .on && endpoints[queue.address] === queue
    }

    /// Endpoints vanish: their transfers are cancelled, their functions told.
    func leaveConfiguration() {
        guard state.configuration != 0 else { return }
        state.configuration = 0
        state.alternateSettings = [:]
        // Told first, while a function can still learn what the guest has not taken; and since a completion may make the
        // host configure anew, whose activation must be the last word.
        for index in visibleFunctions { functions[index].deactivate() }
        let queues = endpoints
        endpoints = EndpointTable()
        cancel(queues.values)
    }

    func enterConfiguration(_ value: UInt8) {
        state.configuration = value
        for owner in state.composition?.endpoints ?? [] where owner.alternateSetting == 0 {
            endpoints[owner.descriptor.address] = EndpointQueue(owner, functions[owner.function], at: port?.speed)
        }
        for index in visibleFunctions { functions[index].activate() }
    }

    /// SET_INTERFACE: the endpoints of one interface are made anew (USB 2.0 section 9.4.10).
    func select(alternate setting: UInt8, ofInterface number: UInt8) {
        guard let composition = state.composition else { return }
        let gone = endpoints.values.filter { $0.owner.interface == number }
        for queue in gone { endpoints[queue.address] = nil }
        state.alternateSettings[number] = setting
        for owner in composition.endpoints where owner.interface == number && owner.alternateSetting == setting {
            endpoints[owner.descriptor.address] = EndpointQueue(owner, functions[owner.function], at: port?.speed)
        }
        // Last, since completions may call back: nothing of the old setting is reachable any more.
        cancel(gone)
        let owner = composition.interfaces[Int(number)]
        functions[owner.function].alternateSettingChanged(interface: owner.offset, to: setting)
    }

    private func cancel(_ queues: [EndpointQueue]) {
        for queue in queues {
            let transfers = queue.takeTransfers()
            queue.discardData()
            for transfer in transfers { finish(transfer, .cancelled) }
        }
    }

    /// Functions of the composition in force, which may differ from the gates until the device has re-enumerated.
    private var visibleFunctions: [Int] {
        var seen: [Int] = []
        for owner in state.composition?.interfaces ?? [] where seen.last != owner.function {
            seen.append(owner.function)
        }
        return seen
    }
}

/// One endpoint in force, for listings.
public struct EndpointSummary: Sendable, Equatable {
    public var address: EndpointAddress
    public var type: TransferType
    public var maxPacketSize: Int
    public var isHalted: Bool
    /// Transfers waiting.
    public var pending: Int
}
