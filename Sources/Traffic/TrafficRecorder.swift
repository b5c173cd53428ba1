import ControlProtocol
import USBCore
import USBDevice

/// Counts, times and remembers the transfers of one device, whatever wire and firmware it has.
///
/// Not thread safe and free of locks: it lives on its device's event loop, as the port's tap, for as long as the port.
/// All it holds is bounded by its limits.
public final class TrafficRecorder: TransferTap {
    public let device: String
    public let limits: TrafficLimits
    let clock: TrafficClock
    /// Makes the `decode` text of rows that are read.
    public var decoder: (any TransferDecoder)?

    // What each transfer touches is exempt from run-time exclusivity checks, a third of the cost of a transfer: nothing
    // outside is called while it is accessed, and everything is on one loop.
    @exclusivity(unchecked) var total = Tally()
    @exclusivity(unchecked) var interfaces: [InterfaceTally] = []
    var interfacePositions: [String: Int] = [:]
    /// Interned; positions 0 and 1 are endpoint 0 and endpoints of nobody.
    var assignments = [TrafficRecorder.deviceAssignment, TrafficRecorder.strayAssignment]
    var assignmentPositions: [Assignment: Int] = [:]
    /// By `EndpointAddress.index`.
    @exclusivity(unchecked) var routes = TrafficRecorder.unassignedRoutes
    /// Position in `assignments` by bInterfaceNumber, for requests to an interface.
    @exclusivity(unchecked) var interfaceNumbers = [UInt16](repeating: 0, count: 256)
    @exclusivity(unchecked) var ring: TransferRing
    @exclusivity(unchecked) var pending = TransferSlots<PendingTransfer>()
    /// A transfer whose slot was taken or that was one too many: its port completes it before any other.
    @exclusivity(unchecked) private var refused: (id: TransferID, entry: PendingTransfer)?
    @exclusivity(unchecked) private var hasRefused = false
    @exclusivity(unchecked) private var observers: [any TransferObserver] = []

    /// Submissions and completions of a batch that share one look at the clock.
    private static let usesOfATime = 16
    @exclusivity(unchecked) private var isInBatch = false
    @exclusivity(unchecked) private var heldTime: UInt64 = 0
    @exclusivity(unchecked) private var heldUses = 0

    public init(
        device: String, limits: TrafficLimits = TrafficLimits(), clock: TrafficClock = .system,
        decoder: (any TransferDecoder)? = nil
    ) {
        self.device = device
        self.limits = limits
        self.clock = clock
        self.decoder = decoder
        ring = TransferRing(limit: limits.rows)
    }

    // MARK: Observers

    /// `observer` is held until it is removed.
    public func addObserver(_ observer: any TransferObserver) {
        observers.append(observer)
    }

    public func removeObserver(_ observer: any TransferObserver) {
        observers.removeAll { $0 === observer }
    }

    // MARK: TransferTap

    public func batchBegan() {
        isInBatch = true
        heldUses = 0
    }

    public func batchEnded() { isInBatch = false }

    /// The clock's time; within a batch, where asking would cost as much as a transfer, to the time of a few transfers.
    private func now() -> UInt64 {
        guard isInBatch else { return clock.now() }
        if heldUses == 0 {
            heldUses = Self.usesOfATime
            heldTime = clock.now()
        }
        heldUses &-= 1
        return heldTime
    }

    public func submitted(_ transfer: Transfer) {
        let now = now()
        let entry = PendingTransfer(
            submitted: now, setup: transfer.setup, data: transfer.data, length: transfer.length)
        if pending.count >= limits.pending || !pending.insert(entry, for: transfer.id) {
            refused = (transfer.id, entry)
            hasRefused = true
        }
        if !observers.isEmpty {
            let type = routes[transfer.endpoint.index].type
            for observer in observers { observer.submitted(transfer, type: type, at: now) }
        }
    }

    public func completed(_ completion: TransferCompletion) {
        let now = now()
        let endpoint = completion.endpoint
        let direction = endpoint.direction
        let route = routes[endpoint.index]
        let actual = direction == .in ? completion.data.count : max(0, completion.actualLength)

        total.record(direction, bytes: actual, status: completion.status, at: now)
        if route.interface >= 0 {
            interfaces[Int(route.interface)].tally
                .record(direction, bytes: actual, status: completion.status, at: now)
        }

        var row = TransferRing.Row(
            submitted: now, completed: now, length: actual, actual: actual, setup: nil, endpoint: endpoint,
            status: completion.status, headCount: 0, assignment: endpoint.number == 0 ? 0 : route.assignment,
            head: SIMD64(repeating: 0))
        // Unpacked at once: an optional of it that lives on costs more than all else here.
        if let entry = takeEntry(completion.id) {
            row.submitted = entry.submitted
            row.length = entry.length
            if direction == .out { row.keepHead(of: entry.data) }
            if let setup = entry.setup {
                row.setup = setup
                if endpoint.number == 0 { row.assignment = assignment(of: setup) }
            }
        }
        if direction == .in { row.keepHead(of: completion.data) }
        ring.append(row)

        if !observers.isEmpty {
            for observer in observers { observer.completed(completion, type: route.type, at: now) }
        }
    }

    private func takeEntry(_ id: TransferID) -> PendingTransfer? {
        if hasRefused, let (refusedID, entry) = refused, refusedID == id {
            refused = nil
            hasRefused = false
            return entry
        }
        return pending.remove(id)
    }

    /// Whom a control request is for: the interface, or the owner of the endpoint, that wIndex names.
    private func assignment(of setup: SetupPacket) -> UInt16 {
        let index = UInt8(truncatingIfNeeded: setup.index)
        switch setup.requestType.recipient {
        case .interface: return interfaceNumbers[Int(index)]
        case .endpoint: return routes[EndpointAddress(rawValue: index).index].assignment
        case .device, .other, .reserved: return 0
        }
    }
}
