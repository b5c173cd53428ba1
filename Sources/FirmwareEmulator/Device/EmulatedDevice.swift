import USBCore
import USBDevice

/// A USB device whose behaviour is a microcontroller image: the firmware runs on the emulator's threads and meets its
/// port through the bus scheduler.
///
/// Confined to its port's event loop, as every firmware is; only `status` may be read anywhere.
public final class EmulatedDevice: Firmware {
    public weak var port: DevicePort?
    public let board: Board
    /// What the descriptors said when the device was last enumerated.
    public private(set) var enumerated: EnumeratedDevice?
    public private(set) var isAttached = false
    /// Told on the event loop.
    public var onEvent: (EmulatedDeviceEvent) -> Void = { _ in }

    private let executor: any LoopExecutor
    private let mailbox = Mailbox<DeviceCommand>()
    private let shared = Shared(EmulatorStatus())
    private let reportsSerial: Bool
    private let make: @Sendable () throws(ImageError) -> Microcontroller
    private var task: MachineTask?
    /// Transfers that the machine has; the serial number tells a late completion from a later transfer of the same id.
    private var serials: [TransferID: UInt64] = [:]
    private var requests: [UInt64: SetupPacket] = [:]
    private var lastSerial: UInt64 = 0
    private var configuration: UInt8 = 0
    private var alternateSettings: [UInt8: UInt8] = [:]
    private var hasAnnouncedEnumeration = false

    /// Loads the image; nothing runs before `start`.
    ///
    /// - Parameters:
    ///   - identity: makes the chip's unique id, from which firmware takes serial numbers.
    ///   - flash: contents that an earlier run left, in place of the image.
    ///   - reportsSerial: whether ``EmulatedDeviceEvent/serial(_:)`` is told.
    ///   - executor: the loop of the port that will own this device.
    public init(
        image: FirmwareImage, board: Board, identity: UInt64, flash: [UInt8]? = nil, reportsSerial: Bool = false,
        executor: any LoopExecutor
    ) throws(ImageError) {
        self.reportsSerial = reportsSerial
        self.board = board
        self.executor = executor
        var image = image
        if let flash {
            image.segments = [
                .init(address: board.chip.flashBase, bytes: Array(flash.prefix(Int(board.chip.flashSize))))
            ]
        }
        let loaded = image
        make = { () throws(ImageError) -> Microcontroller in
            let microcontroller = try Microcontroller(board: board, image: loaded, identity: identity)
            if !loaded.symbols.isEmpty { microcontroller.machine.symbols = loaded.symbols }
            return microcontroller
        }
        // An image that does not fit is refused here, not on the thread.
        _ = try make()
    }

    /// Powers the board on. Descriptors are known when `enumerated` is told.
    ///
    /// - Returns: false when the system gives no thread.
    @discardableResult
    public func start() -> Bool {
        guard task == nil else { return true }
        let bound = LoopBound(self)
        let make = make
        let mailbox = mailbox
        let shared = shared
        let executor = executor
        let reportsSerial = reportsSerial
        var runner: MachineRunner?
        let task = MachineTask {
            if runner == nil {
                // It was made once already, so the image is known to fit.
                guard let microcontroller = try? make() else { return .ended }
                runner = MachineRunner(
                    microcontroller: microcontroller, mailbox: mailbox, status: shared, reportsSerial: reportsSerial
                ) { bus, events in
                    executor.execute { bound.value?.deliver(bus, events) }
                }
            }
            let next = runner?.turn() ?? .ended
            if case .ended = next { runner = nil }
            return next
        }
        guard MachinePool.shared.start(task) else { return false }
        self.task = task
        return true
    }

    /// Powers the board off for good.
    public func shutdown() {
        port?.disconnect()
        order(.stop)
    }

    deinit { order(.stop) }

    func order(_ command: DeviceCommand) {
        mailbox.send(command)
        if let task { MachinePool.shared.wake(task) }
    }

    // MARK: Operator

    public nonisolated var status: EmulatorStatus { shared.get() }
    public func setButton(_ name: String, pressed: Bool) { order(.press(name, pressed)) }
    /// Drives a pin from outside; nil lets it go.
    public func force(_ pin: Pin, _ level: Bool?) { order(.forcePin(pin, level)) }
    /// Gives firmware bytes on all serial ports that listen; at most 4096 before ``EmulatedDeviceEvent/serialTaken``.
    public func sendSerial(_ bytes: [UInt8]) { order(.serial(bytes)) }
    public func resetChip() { order(.resetChip) }
    public func suspendBus() { order(.suspendBus) }
    public func resumeBus() { order(.resumeBus) }

    // MARK: Firmware

    public let speeds: Set<Speed> = [.full]

    public func enumeration(at speed: Speed) -> Enumeration {
        guard var found = enumerated?.enumeration else {
            return Enumeration(
                speed: .full,
                device: DeviceDescriptor(
                    usbRelease: 0x0200, maxPacketSize0: 64, idVendor: 0, idProduct: 0, deviceRelease: 0,
                    configurationCount: 0),
                configurations: [])
        }
        found.currentConfiguration = configuration
        found.alternateSettings = alternateSettings
        return found
    }

    public func connect(at speed: Speed) {
        forget()
        order(.connect)
    }

    public func disconnect() {
        forget()
        order(.disconnect)
    }

    public func busReset() {
        forget()
        order(.busReset)
    }

    private func forget() {
        serials = [:]
        requests = [:]
        configuration = 0
        alternateSettings = [:]
        hasAnnouncedEnumeration = false
    }

    public func submit(_ transfer: Transfer) {
        lastSerial += 1
        serials[transfer.id] = lastSerial
        if let setup = transfer.setup { requests[lastSerial] = setup }
        order(.submit(BusTransfer(serial: lastSerial, transfer: transfer)))
    }

    public func withdraw(_ id: TransferID, _ endpoint: EndpointAddress) {
        guard let serial = serials.removeValue(forKey: id) else { return }
        requests[serial] = nil
        order(.withdraw(serial: serial, endpoint))
    }

    // MARK: From the machine's turns

    private func deliver(_ bus: [BusEvent], _ events: [EmulatedDeviceEvent]) {
        for event in bus { deliver(event) }
        for event in events {
            if case .faulted(let report) = event {
                let place = report.location.map { " in \($0)" } ?? ""
                self.report(trouble: "the firmware has crashed: \(report.reason)\(place)")
            }
            onEvent(event)
        }
    }

    private func deliver(_ event: BusEvent) {
        switch event {
        case .completed(let serial, let completion):
            guard serials[completion.id] == serial else { return }
            serials[completion.id] = nil
            if let setup = requests.removeValue(forKey: serial), completion.status == .success { follow(setup) }
            port?.complete(completion)
        case .enumerated(let device):
            enumerated = device
            isAttached = true
            report(trouble: nil)
            onEvent(.enumerated(device))
            // A guest that holds the device must see it go and come: it may be another one now.
            port?.requestReconnect()
        case .returned(let device):
            // The guest, which has just reset the port, finds out by itself what it is now.
            enumerated = device
            isAttached = true
            onEvent(.enumerated(device))
        case .detachedInEnumeration:
            isAttached = false
            onEvent(.detached)
        case .detached:
            if isAttached { onEvent(.detached) }
            isAttached = false
            // A guest sees it go now, whether and as whatever it comes back.
            port?.requestReconnect()
        case .unusable(let reason):
            report(trouble: "the device does not enumerate: \(reason)")
            onEvent(.unusable(reason))
        case .remoteWakeUp: onEvent(.remoteWakeUp)
        }
    }

    private func report(trouble: String?) { port?.report(.trouble(interface: "firmware", trouble)) }

    /// What a request that the firmware accepted means for the operator's view.
    private func follow(_ setup: SetupPacket) {
        switch setup.standard {
        case .getDescriptor where !hasAnnouncedEnumeration:
            hasAnnouncedEnumeration = true
            port?.report(.enumerating)
        case .setConfiguration where setup.requestType == RequestType(.out, .standard, .device):
            configuration = UInt8(truncatingIfNeeded: setup.value)
            alternateSettings = [:]
            port?.report(.configured(configuration))
        case .setInterface where setup.requestType == RequestType(.out, .standard, .interface):
            alternateSettings[UInt8(truncatingIfNeeded: setup.index)] = UInt8(truncatingIfNeeded: setup.value)
        default: break
        }
    }
}

/// Carries a value of one event loop through other threads, which do not touch it.
private struct LoopBound<Value: AnyObject>: @unchecked Sendable {
    private(set) weak var value: Value?
    init(_ value: Value) { self.value = value }
}
