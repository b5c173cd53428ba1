/// A microcontroller with a bus at its USB connector: the scheduler is called in virtual time, by an event of the
/// machine's clock.
final class BusDrive {
    let microcontroller: Microcontroller
    let scheduler: BusScheduler
    private var event: ClockEvent?
    private var due: UInt64 = 0

    /// - Parameter trace: told of each transaction; nil costs nothing.
    init(_ microcontroller: Microcontroller, trace: ((String) -> Void)? = nil, emit: @escaping (BusEvent) -> Void) {
        self.microcontroller = microcontroller
        let clock = microcontroller.machine.clock
        let usb = microcontroller.usb
        let controller: any USBDeviceController = trace.map { TransactionTrace(usb, report: $0) } ?? usb
        let machine = microcontroller.machine
        scheduler = BusScheduler(controller: controller, now: clock.nanoseconds) { [unowned machine] event in
            guard case .unusable(let reason) = event else { return emit(event) }
            emit(.unusable("\(reason); its firmware is at \(machine.place)"))
        }
        event = clock.event("USB bus") { [unowned self] in advance() }
        clock.onFrequencyChange.append { [weak self] in self?.schedule() }
        microcontroller.usb.onActivity = { [unowned self] in
            // The controller answers a microsecond after firmware has armed it.
            let soon = clock.nanoseconds + 1000
            guard soon < due, scheduler.wantsActivity else { return }
            due = soon
            schedule()
        }
    }

    deinit {
        microcontroller.usb.onActivity = {}
        event?.cancel()
    }

    private var clock: VirtualClock { microcontroller.machine.clock }

    func powerOn() {
        microcontroller.releaseButtons()
        microcontroller.powerOn()
        advance()
    }

    /// To be called after the scheduler was given something.
    func advance() {
        due = scheduler.advance(to: clock.nanoseconds)
        schedule()
    }

    private func schedule() {
        let now = clock.nanoseconds
        event?.schedule(after: clock.cycles(nanoseconds: due > now ? due - now : 0) + 1)
    }
}
