import USBCore

/// The host's side of a full-speed bus with one device: cuts transfers into transactions, at the pace of the wire.
///
/// It lives in the machine's turns and in virtual nanoseconds. Whoever owns it calls `advance` when the time that the
/// last call returned has come, when a transfer was given, and when the controller's `activity` changed.
public final class BusScheduler {
    public static let frameLength: UInt64 = 1_000_000
    /// How long the pull-up must stand before the bus is reset (USB 2.0 section 7.1.7.3, T_ATTDB).
    static let debounce: UInt64 = 100_000_000
    /// Length of a reset, and the time after it in which nothing is asked (T_DRST, T_RSTRCY).
    static let resetLength: UInt64 = 15_000_000
    static let resetRecovery: UInt64 = 10_000_000
    /// SET_ADDRESS takes effect within (USB 2.0 section 9.2.6.3).
    static let addressRecovery: UInt64 = 2_000_000
    /// Our own requests give up after (USB 2.0 section 9.2.6.1).
    static let requestTimeout: UInt64 = 5_000_000_000
    static let enumerationAttempts = 3
    /// Between the stages of a control transfer, and between two of them.
    static let stageGap: UInt64 = 250_000
    /// A device that boots anew on a reset is waited for, half as long as hosts wait for an answer.
    static let returnPatience: UInt64 = 2_500_000_000
    /// Frames in which a packet is tried again when nothing at all is answered.
    static let silentTries = 20
    /// The address that the device is given; there is no other on its bus.
    static let deviceAddress: UInt8 = 1

    enum State: Equatable {
        case detached
        case debouncing(until: UInt64)
        case resetting(until: UInt64)
        case recovering(until: UInt64)
        /// SET_ADDRESS was accepted.
        case addressed(until: UInt64)
        /// A control transfer of ours is under way.
        case asking(deadline: UInt64)
        case ready
        case suspended
        case resuming(until: UInt64)
        /// Enumeration was given up.
        case unusable
    }

    let controller: any USBDeviceController
    let emit: (BusEvent) -> Void
    var state = State.detached
    /// The host has reset the device and not configured it since.
    var isHostEnumerating = false
    /// Until when a device that has left while it was enumerated may come back unnoticed.
    var returnDeadline: UInt64?
    /// A guest holds the device; without one it is suspended once enumerated.
    var hasHost = false
    /// The host has suspended the bus.
    var isHostSuspended = false
    public internal(set) var device: EnumeratedDevice?
    var enumerator: DeviceEnumerator?
    var attempts = 0
    var seenDetachCount: Int

    var now: UInt64 = 0
    /// Frames since the scheduler began; FNR shows the low 11 bits.
    public internal(set) var frame: UInt64 = 0
    var nextFrame: UInt64
    /// The wire is taken until then.
    var busyUntil: UInt64 = 0

    var pipes: [BusPipe]
    var control: ControlExecution?
    var controlBusyAtActivity: UInt64?
    var controlEligibleFrame: UInt64 = 0
    /// The next packet of endpoint 0 is not sent before: hosts take their time between stages, and firmware that polls
    /// its controller relies on it.
    var controlNotBefore: UInt64 = 0
    var packetSize0 = 8
    var lastPipe = 0
    var configuration: UInt8 = 0

    /// - Parameters:
    ///   - now: virtual time in nanoseconds.
    ///   - emit: called in the machine's turn.
    public init(controller: any USBDeviceController, now: UInt64 = 0, emit: @escaping (BusEvent) -> Void) {
        self.controller = controller
        self.emit = emit
        self.now = now
        nextFrame = now + Self.frameLength
        seenDetachCount = controller.detachCount
        pipes = (0..<32).map { BusPipe(EndpointAddress(UInt8($0 & 15), $0 < 16 ? .out : .in)) }
    }

    /// Transfers that have not completed.
    public var pendingCount: Int {
        pipes.reduce(0) { $0 + $1.queue.count } + (control.map { $0.owner == .host ? 0 : 1 } ?? 0)
    }

    /// Nothing is under way but waiting: for the device to attach, to be used, or to answer.
    public var isQuiet: Bool {
        switch state {
        case .detached, .suspended, .unusable: true
        case .ready: control == nil && pipes.allSatisfy { $0.queue.isEmpty }
        default: false
        }
    }

    /// A change of the controller may let something go on.
    public var wantsActivity: Bool {
        switch state {
        case .asking, .ready, .detached: true
        default: controller.isAttached == (state == .detached)
        }
    }

    /// Packets are on their way: not only waiting for the device to have something.
    public var isTransacting: Bool {
        switch state {
        case .asking, .resetting, .recovering, .addressed, .debouncing: true
        case .ready: control != nil || nextPipe() != nil || controlIsEligible
        default: false
        }
    }

    public var hasIsochronousWork: Bool { pipes.contains { $0.type == .isochronous && !$0.queue.isEmpty } }

    // MARK: What the owner calls

    public func submit(_ transfer: BusTransfer) {
        let isAwaited = returnDeadline != nil && transfer.transfer.setup != nil
        guard hasHost, state != .detached || isAwaited, state != .unusable else {
            finish(transfer, .noDevice)
            return
        }
        let setup = transfer.transfer.setup
        if let setup, setup.standard == .setAddress, setup.direction == .out {
            // The device has the address that we gave it; the host's is the host's own affair.
            finish(transfer, .success)
            return
        }
        // All control transfers share endpoint 0's one queue.
        let index = setup == nil ? transfer.transfer.endpoint.index : 0
        guard index & 15 != 0 || setup != nil else {
            finish(transfer, .error)
            return
        }
        if pipes[index].type == .isochronous, !transfer.transfer.hasValidPackets || transfer.transfer.packets.isEmpty {
            finish(transfer, .error)
            return
        }
        pipes[index].queue.append(transfer)
        if isSuspendedForGood { wake() }
    }

    /// Forgets a transfer without completing it.
    public func withdraw(serial: UInt64, endpoint: EndpointAddress) {
        if case .guest(let transfer)? = control?.owner, transfer.serial == serial {
            control = nil
            return
        }
        let index = endpoint.number == 0 ? 0 : endpoint.index
        guard let position = pipes[index].queue.firstIndex(where: { $0.serial == serial }) else { return }
        pipes[index].queue.remove(at: position)
        if position == 0 { pipes[index].clearProgress() }
    }

    /// A host takes the device: reset, then our SET_ADDRESS; transfers wait until it is through.
    public func connect() {
        hasHost = true
        isHostSuspended = false
        restart()
        isHostEnumerating = false
    }

    public func disconnect() {
        dropAll(.noDevice)
        hasHost = false
        isHostSuspended = false
        isHostEnumerating = false
        if returnDeadline != nil, state == .detached { loseReturn() }
        if state == .ready || isResuming { suspendBus() }
    }

    /// Bus reset by the host; pending transfers are forgotten (their port has completed them).
    public func busReset() {
        isHostEnumerating = hasHost
        restart()
    }

    private func restart() {
        dropAll(.cancelled)
        switch state {
        case .detached, .debouncing, .unusable: return
        default:
            guard device != nil else { return }
            beginReset()
        }
    }

    /// The host stops the frames; a device that may wakes it by itself.
    public func suspend() {
        isHostSuspended = true
        if state == .ready { suspendBus() }
    }

    public func resumeBus() {
        isHostSuspended = false
        if state == .suspended { wake() }
    }

    // MARK: Time

    /// Does all that is due at `time`.
    ///
    /// - Returns: when to call again at the latest, in virtual nanoseconds; always later than `time`.
    public func advance(to time: UInt64) -> UInt64 {
        now = max(now, time)
        watchAttachment()
        // After a long pause the frames that passed are not made up for.
        if now >= nextFrame + 64 * Self.frameLength {
            nextFrame = now - now % Self.frameLength
        }
        while nextFrame <= now {
            nextFrame += Self.frameLength
            startFrame()
        }
        progress()
        var due = nextFrame
        if let step = transactionDue() {
            if step <= now { transact() }
            if let again = transactionDue() { due = min(due, max(again, now + 1)) }
        }
        return max(due, now + 1)
    }

    private func startFrame() {
        frame += 1
        switch state {
        case .recovering, .addressed, .asking, .ready:
            controller.startOfFrame(UInt16(truncatingIfNeeded: frame & 0x07FF))
            if state == .ready { isochronousFrame() }
            controller.endPeriodicFrame()
        case .debouncing: controller.idleFrame()
        case .suspended:
            controller.idleFrame()
            if controller.isSignallingResume, hasHost { remoteWakeUp() }
        case .detached, .resetting, .resuming, .unusable: break
        }
    }

    /// When the next transaction is to be made; nil when nothing can be asked before the next frame.
    private func transactionDue() -> UInt64? {
        guard state == .ready || isAsking else { return nil }
        let control = controlIsEligible ? max(busyUntil, controlNotBefore, now) : nil
        let data = state == .ready && nextPipe() != nil ? max(busyUntil, now) : nil
        guard let control, let data else { return control ?? data }
        return min(control, data)
    }

    private var isAsking: Bool {
        if case .asking = state { return true }
        return false
    }

    private func transact() {
        if controlIsEligible, controlNotBefore <= now {
            startControl()
            if control != nil { return controlTransaction() }
        }
        if state == .ready, let pipe = nextPipe() {
            lastPipe = pipe
            dataTransaction(pipe)
        }
    }

    /// Takes the wire for a packet with its token and handshake (USB 2.0 section 5.8.4: 13 bytes; 5.6.4: 9 bytes).
    func occupy(payload: Int, overhead: Int = 13) {
        // 12 Mbit/s, and one bit in twelve for bit stuffing.
        busyUntil = now + UInt64((payload + overhead) * 8) * 1000 / 11
    }

    // MARK: Completions

    func finish(
        _ transfer: BusTransfer, _ status: TransferStatus, data: [UInt8] = [], actualLength: Int = 0,
        packets: [IsochronousPacket] = []
    ) {
        emit(
            .completed(
                serial: transfer.serial,
                TransferCompletion(
                    id: transfer.transfer.id, endpoint: transfer.transfer.endpoint, status: status, data: data,
                    actualLength: actualLength, packets: packets)))
    }

    func dropAll(_ status: TransferStatus) {
        if case .guest(let transfer)? = control?.owner {
            control = nil
            finish(transfer, status)
        }
        for index in pipes.indices {
            let waiting = pipes[index].queue
            pipes[index].queue = []
            pipes[index].clearProgress()
            for transfer in waiting { finish(transfer, status) }
        }
    }
}
