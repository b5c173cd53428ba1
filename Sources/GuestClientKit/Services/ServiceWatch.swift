import Dispatch
import NIOConcurrencyHelpers

/// Follows the services of this guest: what comes, goes and changes, until stopped.
public final class ServiceWatch: Sendable {
    public enum Change: String, Sendable { case added, removed, changed }

    /// What may have happened.
    private enum Event: Sendable {
        case usb
        case notified(Services.Place)
        case ended(Services.Place)
        case stop
    }

    /// An interface that could not be asked is tried again after this time.
    private static let retryMilliseconds: Int32 = 1000

    private let services: Services
    private let stopSignal: StopSignal
    private let queue = NIOLockedValueBox<[Event]>([.usb])
    private let wake = DispatchSemaphore(value: 1)

    public init(_ services: Services) throws(GuestError) {
        self.services = services
        stopSignal = try StopSignal()
    }

    public func stop() {
        stopSignal.stop()
        post(.stop)
    }

    private func post(_ event: Event) {
        queue.withLockedValue { $0.append(event) }
        wake.signal()
    }

    /// Blocks until `stop`.
    ///
    /// - Parameter heard: each change, and first what is there.
    public func run(_ heard: (Change, ListedService) -> Void, trouble: (String) -> Void) throws(GuestError) {
        let thread = try watchUSB()
        defer { thread.wait() }
        var open: [Services.Place: DirectoryChannel] = [:]
        var known: [Services.Place: [ListedService]] = [:]
        var complaints: [Services.Place: GuestError] = [:]
        func tell(_ place: Services.Place, _ now: [ListedService]) {
            let before = known[place] ?? []
            for service in before where !now.contains(where: { $0.name == service.name }) { heard(.removed, service) }
            for service in now {
                guard let old = before.first(where: { $0.name == service.name }) else {
                    heard(.added, service)
                    continue
                }
                if old != service { heard(.changed, service) }
            }
            known[place] = now.isEmpty ? nil : now
        }
        while true {
            wake.wait()
            let events = queue.withLockedValue { queue in
                defer { queue = [] }
                return queue
            }
            for event in events {
                switch event {
                case .stop:
                    for channel in open.values { try channel.end() }
                    return
                case .ended(let place):
                    try open.removeValue(forKey: place)?.end()
                    tell(place, [])
                case .notified(let place):
                    guard let channel = open[place] else { continue }
                    do throws(GuestError) {
                        tell(place, try Services.read(try channel.request("GET", Services.path), place: place))
                    } catch {
                        trouble(error.description)
                    }
                case .usb:
                    for place in try services.places() where open[place] == nil {
                        do throws(GuestError) {
                            let channel = try DirectoryChannel(
                                try Services.open(place), notified: { [self] in post(.notified(place)) },
                                ended: { [self] in post(.ended(place)) })
                            open[place] = channel
                            complaints[place] = nil
                            tell(place, try Services.read(try channel.request("GET", Services.path), place: place))
                        } catch {
                            if case .noSuchDevice = error { continue }
                            if complaints[place] != error { trouble(error.description) }
                            complaints[place] = error
                        }
                    }
                }
            }
        }
    }

    /// Looks at the bus when the kernel says so, and now and then in case another program lets go of an interface.
    private func watchUSB() throws(GuestError) -> DispatchSemaphore {
        let events = try UeventSocket()
        let done = DispatchSemaphore(value: 0)
        let box = SocketBox(events: events)
        DispatchQueue.global().async { [self] in
            while !stopSignal.isStopped {
                box.events.waitForUSBChange(milliseconds: Self.retryMilliseconds, stop: stopSignal)
                post(.usb)
            }
            done.signal()
        }
        return done
    }
}

/// Carries the socket to the thread that waits on it.
private struct SocketBox: @unchecked Sendable {
    let events: UeventSocket
}
