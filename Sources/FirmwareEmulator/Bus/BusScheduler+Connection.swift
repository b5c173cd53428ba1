import USBCore

/// Attach, reset, address, enumeration, suspend.
extension BusScheduler {
    var isResuming: Bool {
        if case .resuming = state { return true }
        return false
    }

    /// Suspended for want of a host, not by its wish.
    var isSuspendedForGood: Bool { state == .suspended && !isHostSuspended }

    /// Follows the pull-up; a detach shorter than the time between two looks counts too.
    func watchAttachment() {
        if controller.detachCount != seenDetachCount || !controller.isAttached, state != .detached {
            leave()
        }
        seenDetachCount = controller.detachCount
        if state == .detached, controller.isAttached {
            device = nil
            attempts = 0
            state = .debouncing(until: now + Self.debounce)
        }
    }

    private func leave() {
        let isAwaited = hasHost && isHostEnumerating
        state = .detached
        enumerator = nil
        configuration = 0
        guard isAwaited else {
            control = nil
            returnDeadline = nil
            dropAll(.noDevice)
            emit(.detached)
            return
        }
        if case .guest(let transfer)? = control?.owner { pipes[0].queue.insert(transfer, at: 0) }
        control = nil
        guard returnDeadline == nil else { return }
        returnDeadline = now + Self.returnPatience
        emit(.detachedInEnumeration)
    }

    /// It did not come back in time.
    func loseReturn() {
        returnDeadline = nil
        dropAll(.noDevice)
        emit(.detached)
    }

    /// Moves on what waits for time to pass.
    func progress() {
        switch state {
        case .detached:
            if let returnDeadline, now >= returnDeadline { loseReturn() }
        case .debouncing(let end) where now >= end: beginReset()
        case .resetting(let end) where now >= end: state = .recovering(until: now + Self.resetRecovery)
        case .recovering(let end) where now >= end:
            ask(
                SetupPacket(
                    requestType: RequestType(.out, .standard, .device), request: StandardRequest.setAddress.rawValue,
                    value: UInt16(Self.deviceAddress)))
        case .addressed(let end) where now >= end: afterAddress()
        case .asking(let deadline) where now >= deadline: hostRequestEnded(.silence)
        case .resuming(let end) where now >= end: state = .ready
        default: break
        }
    }

    func beginReset() {
        control = nil
        controlBusyAtActivity = nil
        controlEligibleFrame = 0
        configuration = 0
        for index in pipes.indices {
            pipes[index].restart()
            pipes[index].clearProgress()
        }
        controller.busReset()
        enumerator = device == nil ? DeviceEnumerator() : nil
        if device == nil { packetSize0 = 8 }
        state = .resetting(until: now + Self.resetLength)
    }

    private func ask(_ setup: SetupPacket) {
        control = ControlExecution(.host, setup)
        controlBusyAtActivity = nil
        controlEligibleFrame = 0
        state = .asking(deadline: now + Self.requestTimeout)
    }

    /// A request of ours has ended.
    func hostRequestEnded(_ result: ControlExecution.Result) {
        let setup = control?.setup
        control = nil
        if setup?.standard == .setAddress {
            guard case .success = result else { return enumerationFailed("it did not accept an address") }
            state = .addressed(until: now + Self.addressRecovery)
            return
        }
        switch result {
        case .success(let data): enumerate(answer: data)
        case .stall, .babble: enumerate(answer: nil)
        case .silence: enumerationFailed("it stopped answering")
        }
    }

    private func afterAddress() {
        guard let enumerator else { return becomeReady() }
        ask(enumerator.first)
    }

    private func enumerate(answer: [UInt8]?) {
        guard var reader = enumerator else { return becomeReady() }
        let next = reader.next(after: answer)
        packetSize0 = reader.packetSize
        enumerator = reader
        switch next {
        case .request(let setup): ask(setup)
        case .failed(let reason): enumerationFailed(reason)
        case .done(let found):
            enumerator = nil
            device = found
            if returnDeadline != nil {
                returnDeadline = nil
                emit(.returned(found))
                // The host's own reset, which the device has slept through.
                beginReset()
                return
            }
            emit(.enumerated(found))
            // Whoever takes it now resets it first: what the enumeration left behind is not a guest's affair.
            becomeReady()
        }
    }

    private func becomeReady() {
        state = .ready
        if !hasHost || isHostSuspended { suspendBus() }
    }

    private func enumerationFailed(_ reason: String) {
        attempts += 1
        guard attempts >= Self.enumerationAttempts else {
            beginReset()
            return
        }
        control = nil
        enumerator = nil
        state = .unusable
        if returnDeadline != nil { loseReturn() }
        dropAll(.noDevice)
        emit(.unusable(reason))
    }

    func suspendBus() { state = .suspended }

    func wake() {
        controller.resume()
        // 20 ms of resume signalling by the host (USB 2.0 section 7.1.7.7, T_DRSMDN).
        state = .resuming(until: now + 20_000_000)
    }

    func remoteWakeUp() {
        isHostSuspended = false
        emit(.remoteWakeUp)
        state = .resuming(until: now + 20_000_000)
    }
}
