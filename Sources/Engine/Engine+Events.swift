import ControlProtocol
import Foundation

extension Engine {
    var now: Double { Date().timeIntervalSince1970 }

    /// Tells everybody that something happened, and lets the snapshot follow.
    func publish(
        _ severity: Severity, _ subject: Subject, actor: String, kind: String, _ message: String,
        duration: Double? = nil
    ) {
        let event = events.append(
            severity, subject, actor: actor, kind: kind, message: message, duration: duration, at: now)
        switch severity {
        case .info: logger.notice("\(subject): \(message)")
        case .warning: logger.warning("\(subject): \(message)")
        case .fault: logger.error("\(subject): \(message)")
        }
        hub.send(event)
        changed()
    }

    /// The picture has changed: waiting commands look again, subscribers get a snapshot soon.
    func changed() {
        revision += 1
        updateOffers()
        let pending = waiters
        waiters = []
        for waiter in pending {
            if let index = index(waiter.device), waiter.isSatisfied(devices[index]) {
                waiter.continuation.resume(returning: true)
            } else {
                waiters.append(waiter)
            }
        }
        changes.input.yield()
    }

    /// Waits until a device is as wanted.
    ///
    /// - Returns: false when `seconds` have passed first.
    func wait(
        for device: String, seconds: Double, until isSatisfied: @escaping @Sendable (DeviceRecord) -> Bool
    ) async -> Bool {
        guard !isShuttingDown, let index = index(device) else { return false }
        if isSatisfied(devices[index]) { return true }
        nextWaiter += 1
        let id = nextWaiter
        let timeout = Task {
            try await Task.sleep(for: .seconds(seconds))
            self.expire(id)
        }
        defer { timeout.cancel() }
        return await withCheckedContinuation { continuation in
            waiters.append(Waiter(id: id, device: device, isSatisfied: isSatisfied, continuation: continuation))
        }
    }

    private func expire(_ id: UInt64) {
        guard let position = waiters.firstIndex(where: { $0.id == id }) else { return }
        waiters.remove(at: position).continuation.resume(returning: false)
    }
}

/// A command that waits for a device to become something.
struct Waiter {
    let id: UInt64
    let device: String
    let isSatisfied: @Sendable (DeviceRecord) -> Bool
    let continuation: CheckedContinuation<Bool, Never>
}

/// A signal that says only "look again"; many in a row are one.
struct ChangeSignal: Sendable {
    let stream: AsyncStream<Void>
    let input: AsyncStream<Void>.Continuation

    init() {
        (stream, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }
}
