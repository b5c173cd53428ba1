import USBCore

/// What a machine does in its turns: runs the microcontroller in slices, at the pace of the wall clock while a host is
/// there, and meets the event loop through two queues only.
final class MachineRunner {
    /// Real time between two looks at an idle machine while a host waits for something of it.
    private static let awaitedQuantum: UInt64 = 16_000_000
    /// The same while only its lights and its serial port could show something. Commands wake it at once.
    private static let idleQuantum: UInt64 = 40_000_000
    private static let suspendedQuantum: UInt64 = 100_000_000
    /// After the last transfer.
    private static let quietTime: UInt64 = 100_000_000
    /// Virtual time that a busy machine may be ahead of the wall clock.
    private static let lead: UInt64 = 500_000
    private static let slice: UInt64 = 250_000
    /// Virtual time after which commands are looked for although nothing is on the bus.
    private static let longSlice: UInt64 = 2_000_000
    /// Lag behind the wall clock that is given up instead of made good.
    private static let maximumLag: UInt64 = 250_000_000
    /// Virtual time that is skipped through at full speed while nobody uses the device: start-up delays.
    private static let fastForward: UInt64 = 30_000_000_000
    private static let fastForwardRealTime: UInt64 = 10_000_000_000
    private static let statusInterval: UInt64 = 100_000_000
    /// Firmware that has written flash is done when it has not done so for this long.
    private static let flashSettling: UInt64 = 500_000_000

    private let mailbox: Mailbox<DeviceCommand>
    let status: Shared<EmulatorStatus>
    private let report: ([BusEvent], [EmulatedDeviceEvent]) -> Void
    let microcontroller: Microcontroller
    private var drive: BusDrive?
    private var debugger: DebuggerPort?
    private var isHeld: Bool { debugger?.holdsMachine ?? false }
    private var scheduler: BusScheduler? { drive?.scheduler }

    private var busEvents: [BusEvent] = []
    private var events: [EmulatedDeviceEvent] = []
    private let reportsSerial: Bool
    /// What firmware has sent on its serial ports since events were reported last.
    private var sentSerial: [UInt8] = []
    /// It is yet to be told that firmware has taken what it was sent.
    private var owesSerialTaken = false
    var view = EmulatorStatus()

    private var isStopped = false
    private var hasFaulted = false
    private var lastActivity: UInt64 = 0
    private var flashChangedAt: UInt64?
    // Wall clock and virtual time that belong together.
    private var realAnchor: UInt64 = 0
    private var virtualAnchor: UInt64 = 0
    private var fastUntil = MachineRunner.fastForward
    private var fastSince: UInt64 = 0
    // For rates.
    private var statusAt: UInt64 = 0
    private var statusVirtual: UInt64 = 0
    private var busyCycles: UInt64 = 0

    init(
        microcontroller: Microcontroller, mailbox: Mailbox<DeviceCommand>, status: Shared<EmulatorStatus>,
        reportsSerial: Bool, report: @escaping ([BusEvent], [EmulatedDeviceEvent]) -> Void
    ) {
        self.microcontroller = microcontroller
        self.mailbox = mailbox
        self.status = status
        self.reportsSerial = reportsSerial
        self.report = report
    }

    private var clock: VirtualClock { microcontroller.machine.clock }

    /// Obeys what has come and runs until there is nothing to do before some later time.
    func turn() -> MachineTask.Next {
        if drive == nil { powerOn() }
        for command in mailbox.take() { obey(command) }
        flush()
        guard !isStopped else {
            powerOff()
            return .ended
        }
        let deadline = step()
        flush()
        return deadline.map { .at($0) } ?? .whenWoken
    }

    private func powerOff() {
        scheduler?.disconnect()
        drive = nil
        view.processor = .off
        status.set(view)
        flush()
    }

    private func powerOn() {
        let now = monotonicNanoseconds()
        realAnchor = now
        fastSince = now
        statusAt = now
        microcontroller.machine.onDiagnostic = { [unowned self] diagnostic in
            log("\(diagnostic)")
            events.append(.diagnostic(diagnostic))
        }
        microcontroller.onSerial = { [unowned self] _, byte in
            view.serialLog.append(byte)
            view.serialTotal &+= 1
            if reportsSerial { sentSerial.append(byte) }
            if view.serialLog.count > EmulatorStatus.serialLimit * 2 {
                view.serialLog.removeFirst(view.serialLog.count - EmulatorStatus.serialLimit)
            }
        }
        microcontroller.onFlashChange = { [unowned self] _, _ in flashChangedAt = clock.nanoseconds }
        view.buttons = microcontroller.board.buttons.map { .init(name: $0.name, isPressed: false) }
        let drive = BusDrive(microcontroller) { [unowned self] event in
            busEvents.append(event)
            note(event)
        }
        self.drive = drive
        drive.powerOn()
    }

    // MARK: Bus

    private func note(_ event: BusEvent) {
        switch event {
        case .completed: lastActivity = monotonicNanoseconds()
        case .enumerated(let device), .returned(let device):
            view.trouble = nil
            let id = device.enumeration.device
            log("enumerated as \(id.idVendor.hex4):\(id.idProduct.hex4) \(device.product ?? "")")
        case .detached, .detachedInEnumeration:
            log("the device left the bus")
            grantFastForward()
        case .unusable(let reason):
            view.trouble = reason
            log("the device cannot be used: \(reason)")
        case .remoteWakeUp: log("remote wake-up")
        }
    }

    // MARK: Time

    /// What nobody watches happens at full speed, within limits.
    private func grantFastForward() {
        fastUntil = clock.nanoseconds + Self.fastForward
        fastSince = monotonicNanoseconds()
    }

    private var isFast: Bool {
        guard let scheduler, scheduler.device == nil, scheduler.state != .unusable else { return false }
        return clock.nanoseconds < fastUntil && monotonicNanoseconds() &- fastSince < Self.fastForwardRealTime
    }

    /// Runs until there is nothing to do before some later time.
    ///
    /// - Returns: that time, nil for never; a time that has passed means: look for commands, then go on.
    private func step() -> UInt64? {
        guard !hasFaulted, !isHeld else { return nil }
        let real = monotonicNanoseconds()
        publish(real)
        if isFast {
            let isSleeping = runSlice(until: clock.nanoseconds + 2_000_000)
            realAnchor = monotonicNanoseconds()
            virtualAnchor = clock.nanoseconds
            _ = isSleeping
            return 0
        }
        var target = virtualAnchor &+ (real &- realAnchor)
        let virtual = clock.nanoseconds
        if target > virtual, target - virtual > Self.maximumLag {
            realAnchor = real
            virtualAnchor = virtual
            target = virtual
        }
        let isBusy = scheduler.map { $0.isTransacting } ?? false
        if isBusy { target += Self.lead }
        if virtual >= target {
            let wait = virtual - target
            return real + max(wait, 100_000)
        }
        let quiet = real &- lastActivity > Self.quietTime
        microcontroller.isUnwatched = quiet && !isBusy
        let isSleeping = runSlice(until: min(target, virtual + (isBusy ? Self.slice : Self.longSlice)))
        guard clock.nanoseconds >= target else { return 0 }
        if !isSleeping || scheduler?.hasIsochronousWork == true { return real + 1_000_000 }
        guard quiet else { return real + 1_000_000 }
        if scheduler?.hasHost == false { return Self.tick(after: real, Self.suspendedQuantum) }
        return Self.tick(after: real, scheduler?.pendingCount == 0 ? Self.idleQuantum : Self.awaitedQuantum)
    }

    /// Quiet machines are all looked at in the same instants: each time that a processor is woken costs more than to look.
    private static func tick(after real: UInt64, _ quantum: UInt64) -> UInt64 { (real / quantum + 1) * quantum }

    /// - Returns: the CPU waits for an event or an input.
    private func runSlice(until nanoseconds: UInt64) -> Bool {
        let before = clock.now
        let now = clock.nanoseconds
        guard nanoseconds > now else { return false }
        let cycles = clock.cycles(nanoseconds: nanoseconds - now)
        let result = microcontroller.run(untilCycle: before &+ max(cycles, 1))
        if let debugger {
            debugger.note(result)
            showHeld()
        }
        switch result {
        case .sliceOver:
            busyCycles &+= clock.now &- before
            settleFlash()
            return false
        case .sleeping:
            settleFlash()
            return true
        case .resetRequested:
            log("chip reset")
            events.append(.reset)
            microcontroller.reset()
            drive?.advance()
        case .fault(let report): faulted(report)
        case .breakpoint, .watchpoint, .stopped: break
        }
        return false
    }

    private func faulted(_ report: FaultReport) {
        hasFaulted = true
        view.fault = report
        view.processor = .faulted
        log("fault: \(report.reason)\(report.location.map { " in \($0)" } ?? "")")
        events.append(.faulted(report))
        scheduler?.dropAll(.noDevice)
        status.set(view)
    }

    private func settleFlash() {
        guard let changed = flashChangedAt, clock.nanoseconds &- changed > Self.flashSettling else { return }
        flashChangedAt = nil
        events.append(.flashChanged(microcontroller.flashContents))
    }

    // MARK: Commands

    private func obey(_ command: DeviceCommand) {
        catchUp()
        switch command {
        case .stop: isStopped = true
        case .connect: scheduler?.connect()
        case .disconnect: scheduler?.disconnect()
        case .busReset: scheduler?.busReset()
        case .submit(let transfer):
            lastActivity = monotonicNanoseconds()
            if hasFaulted {
                scheduler?.finish(transfer, .noDevice)
            } else {
                scheduler?.submit(transfer)
            }
        case .withdraw(let serial, let endpoint): scheduler?.withdraw(serial: serial, endpoint: endpoint)
        case .suspendBus: scheduler?.suspend()
        case .resumeBus: scheduler?.resumeBus()
        case .press(let name, let isPressed): press(name, isPressed)
        case .forcePin(let pin, let level):
            microcontroller.forcePin(pin, level)
        case .serial(let bytes):
            microcontroller.receiveSerial(bytes)
            owesSerialTaken = true
        case .debugger(let input): debug(input)
        case .resetChip: resetChip()
        }
        if !isStopped, !hasFaulted { drive?.advance() }
    }

    private func resetChip() {
        hasFaulted = false
        view.fault = nil
        grantFastForward()
        microcontroller.machine.forgetReports()
        microcontroller.reset()
    }

    /// Before something from outside happens, the machine is brought up to now.
    private func catchUp() {
        guard !hasFaulted, !isFast, !isHeld else { return }
        let target = virtualAnchor &+ (monotonicNanoseconds() &- realAnchor)
        let virtual = clock.nanoseconds
        guard target > virtual, target - virtual < Self.suspendedQuantum * 2 else { return }
        _ = runSlice(until: target)
    }

    private func debug(_ input: DebuggerInput) {
        switch input {
        case .attached(let send):
            debugger?.leave()
            debugger = DebuggerPort(machine: microcontroller.machine, send: send) { [unowned self] in resetChip() }
            log("a debugger holds the CPU")
        case .bytes(let bytes):
            debugger?.receive(bytes)
            if debugger?.isEnded == true { return debug(.gone) }
            // A CPU that has crashed does not go on, and says so again.
            if hasFaulted, !isHeld, let fault = view.fault { debugger?.note(.fault(fault)) }
        case .gone:
            guard let debugger else { return }
            debugger.leave()
            self.debugger = nil
            log("the debugger has left")
        }
        showHeld()
    }

    private func showHeld() {
        let isShown = view.processor == .halted
        guard isHeld != isShown else { return }
        view.processor = isHeld ? .halted : hasFaulted ? .faulted : .running
        status.set(view)
    }

    private func press(_ name: String, _ isPressed: Bool) {
        guard let index = view.buttons.firstIndex(where: { $0.name == name }) else { return }
        view.buttons[index].isPressed = isPressed
        microcontroller.press(microcontroller.board.buttons[index], isPressed)
        status.set(view)
    }

    // MARK: Reports

    private func log(_ line: String) {
        view.log.append(line)
        if view.log.count > EmulatorStatus.logLimit { view.log.removeFirst(view.log.count - EmulatorStatus.logLimit) }
    }

    private func publish(_ real: UInt64) {
        let passed = real &- statusAt
        guard passed >= Self.statusInterval else { return }
        let virtual = clock.nanoseconds
        view.realTimeFactor = Double(virtual &- statusVirtual) / Double(passed)
        view.millionCyclesPerSecond = Double(busyCycles) * 1000 / Double(passed)
        view.virtualTime = virtual
        view.isAttached = microcontroller.usb.isAttached
        view.place = scheduler?.device == nil ? microcontroller.machine.place : nil
        view.lights = microcontroller.lights
        switch microcontroller.machine.activity {
        case .running: view.processor = .running
        case .sleeping: view.processor = .sleeping
        case .skipped: view.processor = .skipped
        case .faulted: view.processor = .faulted
        }
        busyCycles = 0
        statusAt = real
        statusVirtual = virtual
        status.set(view)
    }

    private func flush() {
        if !sentSerial.isEmpty {
            events.append(.serial(sentSerial))
            sentSerial = []
        }
        if owesSerialTaken, !microcontroller.hasUnreadSerial {
            owesSerialTaken = false
            events.append(.serialTaken)
        }
        guard !busEvents.isEmpty || !events.isEmpty else { return }
        let bus = busEvents
        let other = events
        busEvents = []
        events = []
        report(bus, other)
    }
}

extension UInt16 {
    /// Four hexadecimal digits.
    var hex4: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
