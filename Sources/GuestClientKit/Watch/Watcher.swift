import CUSBFS
import Glibc

/// Keeps a connection to a host and attaches what the host plugs into this guest, until it is stopped.
public final class Watcher {
    /// Of a host that says nothing; it pings every ten seconds.
    private static let silenceMilliseconds: Int64 = 30_000
    private static let longestLine = 64 << 10
    /// How often ports are looked at when no event says so: the loss of a link shows there first.
    private static let surveyMilliseconds: Int64 = 1000

    private let address: ExporterAddress
    private let guest: String
    private let tls: TLSFiles?
    private let vhci: VHCI
    private let report: (String) -> Void
    private let stop: StopSignal
    private let events: UeventSocket
    private var state: WatchState
    private var backoff = Backoff()
    private var stream: StreamSocket?

    public init(
        address: ExporterAddress, guest: String, policy: WatchPolicy, tls: TLSFiles? = nil, vhci: VHCI = VHCI(),
        stop: StopSignal, report: @escaping (String) -> Void
    ) throws(GuestError) {
        self.address = address
        self.guest = guest
        self.tls = tls
        self.vhci = vhci
        self.stop = stop
        self.report = report
        events = try UeventSocket()
        state = WatchState(policy)
    }

    /// Returns when stopped; attached devices stay attached.
    public func run() throws(GuestError) {
        try vhci.prepare()
        while !stop.isStopped {
            do {
                try serve()
            } catch {
                report("\(error)")
            }
            stream = nil
            state.disconnected()
            let wait = backoff.wait()
            if !stop.isStopped { report("trying again in \(wait / 1000) s") }
            rest(until: monotonicMilliseconds() + wait)
        }
    }

    // MARK: One connection

    private func serve() throws(GuestError) {
        let (stream, tunnel) = try connect()
        defer { withExtendedLifetime(tunnel) {} }
        self.stream = stream
        try send(.watch(guest: guest))
        var pending: [UInt8] = []
        var lastHeard = monotonicMilliseconds()
        while !stop.isStopped {
            let now = monotonicMilliseconds()
            guard now - lastHeard < Self.silenceMilliseconds else {
                throw .refused("\(address) has said nothing for \(Self.silenceMilliseconds / 1000) s")
            }
            let deadline = min(state.nextDue ?? .max, now + Self.surveyMilliseconds)
            guard wait(for: stream.fileDescriptor, until: deadline) else { return }
            if let bytes = try stream.readAvailable() {
                guard !bytes.isEmpty else { throw .refused("\(address) closed the connection") }
                lastHeard = monotonicMilliseconds()
                pending += bytes
                try takeLines(&pending)
            }
            survey()
            try perform(state.due(now: monotonicMilliseconds()))
        }
    }

    private func connect() throws(GuestError) -> (StreamSocket, TLSTunnel?) {
        guard let tls else { return (try StreamSocket.connect(to: address), nil) }
        let (tunnel, plain) = try TLSTunnel.open(to: address, tls)
        return (plain, tunnel)
    }

    private func takeLines(_ pending: inout [UInt8]) throws(GuestError) {
        while let end = pending.firstIndex(of: 0x0A) {
            let line = Array(pending[..<end])
            pending.removeSubrange(...end)
            guard let message = WatchMessage(line: line) else {
                throw .refused("\(address) sent a line that is no message: \(SystemFile.printable(line))")
            }
            switch message {
            case .hello(let version):
                guard version == WatchReply.version else {
                    throw .refused("\(address) speaks version \(version); this program speaks \(WatchReply.version)")
                }
                state.connected()
                backoff.reset()
                report("watching \(address) as \(guest)")
            case .refused(let reason): throw .refused("\(address) refused: \(reason)")
            default: break
            }
            // What happened at the ports since the last look must count before the host's word does.
            survey()
            try perform(state.received(message))
        }
        guard pending.count <= Self.longestLine else { throw .refused("\(address) sent a line without an end") }
    }

    private func send(_ reply: WatchReply) throws(GuestError) {
        try stream?.write(reply.line, until: monotonicMilliseconds() + 10_000)
    }

    // MARK: Actions

    private func perform(_ actions: [WatchState.Action]) throws(GuestError) {
        for action in actions {
            switch action {
            case .send(let reply): try send(reply)
            case .attach(let busID):
                let result = attach(busID)
                try perform(state.attached(busID, result, now: monotonicMilliseconds()))
            case .detach(let port):
                do {
                    try vhci.detach(port)
                } catch {
                    report("\(error)")
                }
            case .forget(let port): vhci.forget(port)
            case .say(let text): report(text)
            }
        }
    }

    private func attach(_ busID: String) -> Result<Int, GuestError> {
        let attacher = Attacher(address: address, tls: tls, vhci: vhci)
        do {
            // From before this watch was started.
            if let port = try attacher.attached(busID), !vhci.isRemoved(port) { return .success(port.number) }
            return .success(try attacher.attach(busID).port)
        } catch {
            return .failure(error)
        }
    }

    // MARK: Ports

    /// Looks at the ports of our devices. A link that is lost while there is no connection is told all the same: `say`
    /// and `detach` need none, and nothing is sent.
    private func survey() {
        let expected = state.ports
        guard !expected.isEmpty, let ports = try? vhci.ports() else { return }
        for (number, busID) in expected {
            guard let port = ports.first(where: { $0.number == number }) else { continue }
            let record = vhci.record(of: number)
            let isOurs = record?.busID == busID
            let view: WatchState.PortView
            switch port.state {
            case .used where isOurs: view = vhci.isRemoved(port) ? .removed : .attached
            case .free: view = isOurs ? .lost : .givenBack
            // Taken over by somebody else's device.
            case .used where record != nil: view = .givenBack
            // On its way: the next look tells.
            default: continue
            }
            do {
                try perform(state.saw(view, at: number, now: monotonicMilliseconds()))
            } catch {
                // The connection broke; whoever reads from it finds out.
                report("\(error)")
            }
        }
    }

    // MARK: Waiting

    /// Until `descriptor` is readable, USB news come, or the time is up; false when stopped.
    private func wait(for descriptor: Int32, until deadline: Int64) -> Bool {
        var entries = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: events.fileDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        let left = max(0, deadline - monotonicMilliseconds())
        guard poll(&entries, nfds_t(entries.count), Int32(clamping: left)) > 0 else { return true }
        if entries[2].revents != 0 { events.takeAll() }
        return entries[1].revents == 0
    }

    /// Between two connections; ports are looked at all the same.
    private func rest(until deadline: Int64) {
        while !stop.isStopped, monotonicMilliseconds() < deadline {
            // poll() ignores a negative descriptor.
            guard wait(for: -1, until: min(deadline, monotonicMilliseconds() + Self.surveyMilliseconds)) else { return }
            survey()
        }
    }
}
