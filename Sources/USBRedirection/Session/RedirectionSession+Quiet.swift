import NIOCore

extension RedirectionSession {
    /// How long the guest must yet ask nothing at endpoint 0 for the device to leave between its questions; zero when it
    /// may leave now. Whoever is about to take the device out waits that long and asks again, up to
    /// ``ControlQuiet/longestWait`` in all.
    public var timeUntilQuiet: TimeAmount {
        guard state == .connected else { return .zero }
        if pending.first(where: { $0.request.isControl }) != nil { return ControlQuiet.whenUsed }
        return max(.zero, quiet.end - now)
    }

    /// Takes the device out and puts it in again as soon as the guest is not in the middle of asking it things.
    func reconnectWhenQuiet() {
        guard quietTimer == nil else { return }
        awaitQuiet(until: now + ControlQuiet.longestWait)
    }

    private func awaitQuiet(until limit: NIODeadline) {
        // A device that has left the bus by itself answers nothing that it could wait for.
        let pause = port.firmware.isAttached ? min(timeUntilQuiet, limit - now) : .zero
        guard pause > .zero else { return detach(.reconnecting, thenConnect: true) }
        quietTimer = schedule(in: pause) { [weak self] in
            guard let self, state == .connected else { return }
            quietTimer = nil
            awaitQuiet(until: limit)
            flushUnlessReading()
        }
    }

    /// The device leaves now, or it is not to leave any more.
    func endQuiet() {
        quietTimer?.cancel()
        quietTimer = nil
    }
}
