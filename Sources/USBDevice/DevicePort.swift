import USBCore

/// The seam between a wire and a device: a wire meets nothing else of a device, a device nothing else of a wire.
///
/// It keeps the promise that every submitted transfer completes exactly once, bounds how many may be pending, and lets
/// a tap see each transfer once. Not thread safe: a port, its firmware, its wire and its tap live on one event loop.
public final class DevicePort {
    /// Transfers that may be pending at once; one more completes with `error` at once.
    public static let maximumPendingTransfers = TransferSlots<EndpointAddress>.capacity

    /// What happened while a wire was attached, as the device sees it.
    public weak var observer: (any DevicePortObserver)?
    /// Sees every transfer; nil costs nothing.
    @exclusivity(unchecked) public var tap: (any TransferTap)?
    public let firmware: any Firmware

    /// Held from `connect` to `disconnect`, which every wire calls when it ends.
    @exclusivity(unchecked) private var host: (any TransferHost)?
    /// Wants the device as soon as its firmware is on the bus.
    private weak var waiting: (any TransferHost)?
    // Touched by each transfer: without run-time exclusivity checks, since nothing is called while they are accessed.
    @exclusivity(unchecked) private var pending = TransferSlots<EndpointAddress>()
    /// Set between `connect` and `disconnect`.
    @exclusivity(unchecked) public private(set) var speed: Speed?
    /// While `disconnect` completes what is pending: a host that submits anew from a completion must not be left waiting.
    @exclusivity(unchecked) private var isDisconnecting = false

    public init(firmware: any Firmware) {
        self.firmware = firmware
        firmware.port = self
    }

    deinit {
        if firmware.port === self { firmware.port = nil }
    }

    public var isConnected: Bool { speed != nil }
    public var pendingCount: Int { pending.count }
    /// Pending transfers in the order of their submission, which their ids say nothing about.
    public var pendingIDs: [TransferID] { pending.ids }

    // MARK: What a wire calls

    /// Puts the device into `host`'s port at `speed`; the device is then in the default state, as after a bus reset.
    /// `host` is held until `disconnect`.
    ///
    /// - Throws: when the device cannot run at that speed, or another host holds it.
    public func connect(to host: any TransferHost, speed: Speed) throws(DevicePortError) {
        guard self.speed == nil else { throw .busy }
        guard firmware.speeds.contains(speed) else { throw .unsupportedSpeed(speed, supported: firmware.speeds) }
        guard firmware.isAttached else { throw .absent }
        waiting = nil
        self.host = host
        self.speed = speed
        firmware.connect(at: speed)
        observer?.portDidConnect(self, speed: speed)
    }

    /// Instead of a `connect` that failed with `absent`: `host` is asked to reconnect when the firmware has come back.
    public func awaitAttachment(for host: any TransferHost) { waiting = host }

    /// Takes the device out: all pending transfers complete with `noDevice`, the host hears of them, then is forgotten.
    public func disconnect() {
        guard speed != nil, !isDisconnecting else { return }
        isDisconnecting = true
        completeAll(.noDevice)
        firmware.disconnect()
        completeAll(.noDevice)
        let host = host
        speed = nil
        self.host = nil
        isDisconnecting = false
        host?.portDidDisconnect(self)
        observer?.portDidDisconnect(self)
    }

    /// Bus reset: pending transfers complete with `cancelled`, the device is unconfigured and at address 0. Cheap when repeated.
    public func busReset() {
        guard speed != nil else { return }
        completeAll(.cancelled)
        firmware.busReset()
    }

    /// Said by a wire around all that one read of its socket brings.
    public func beginBatch() { tap?.batchBegan() }
    public func endBatch() { tap?.batchEnded() }

    /// Gives the device one transfer, whose id names a slot (see `TransferSlots`). A second transfer in a slot that is
    /// pending completes the second with `error`.
    public func submit(_ transfer: Transfer) {
        tap?.submitted(transfer)
        guard speed != nil, !isDisconnecting else {
            deliver(TransferCompletion(id: transfer.id, endpoint: transfer.endpoint, status: .noDevice))
            return
        }
        guard pending.insert(transfer.endpoint, for: transfer.id) else {
            deliver(TransferCompletion(id: transfer.id, endpoint: transfer.endpoint, status: .error))
            return
        }
        firmware.submit(transfer)
    }

    /// Takes a transfer back: it completes with `cancelled` before this returns.
    ///
    /// - Returns: false when nothing with that id is pending (it has completed, or never was).
    @discardableResult
    public func cancel(_ id: TransferID) -> Bool {
        guard let endpoint = pending[id] else { return false }
        firmware.withdraw(id, endpoint)
        complete(TransferCompletion(id: id, endpoint: endpoint, status: .cancelled))
        return true
    }

    // MARK: What a firmware calls

    /// Ends a pending transfer; a completion for one that is not pending (it was cancelled meanwhile) is dropped.
    public func complete(_ completion: TransferCompletion) {
        guard pending.remove(completion.id) != nil else { return }
        deliver(completion)
    }

    /// The device wants to be enumerated anew (an interface was switched, firmware left the bus or came back): the wire
    /// disconnects it, and connects it again when its firmware is on the bus.
    public func requestReconnect() {
        (speed == nil ? waiting : host)?.portWantsReconnect(self)
    }

    /// Passes a change in the device's guest-visible state to the observer.
    public func report(_ change: DeviceChange) {
        observer?.port(self, changed: change)
    }

    private func deliver(_ completion: TransferCompletion) {
        tap?.completed(completion)
        host?.port(self, completed: completion)
    }

    /// In the order of submission: QEMU aborts, its VM with it, when an endpoint's packets end in another.
    private func completeAll(_ status: TransferStatus) {
        for id in pendingIDs {
            guard let endpoint = pending[id] else { continue }
            firmware.withdraw(id, endpoint)
            complete(TransferCompletion(id: id, endpoint: endpoint, status: status))
        }
    }
}

/// Why a wire cannot have a device.
public enum DevicePortError: Error, Equatable, CustomStringConvertible {
    case busy
    case unsupportedSpeed(Speed, supported: Set<Speed>)
    /// Its firmware has left the bus.
    case absent

    public var description: String {
        switch self {
        case .busy: "the device is plugged elsewhere; unplug it there first"
        case .absent: "its firmware has left the bus"
        case .unsupportedSpeed(let speed, let supported):
            "the device cannot run at \(speed.name) speed; it can at \(supported.sorted().map(\.name).joined(separator: ", "))"
        }
    }
}
