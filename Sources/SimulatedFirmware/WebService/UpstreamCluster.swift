import NIOCore
import NIOPosix

/// The upstreams of one Web Service interface: whose turn it is, and who is up.
///
/// A failed request or connection marks a member down; a probe (a connection made and closed) marks it up again. Members
/// that have answered nothing for a while are probed too. Confined to its event loop.
final class UpstreamCluster {
    /// How often health is looked at.
    struct Timing: Sendable {
        var tick: TimeAmount = .seconds(1)
        /// From the last proof of life to the next probe.
        var recheck: TimeAmount = .seconds(10)
        /// From the first failure to the next probe; doubles up to `recheck`.
        var backOff: TimeAmount = .seconds(1)
        var connectTimeout: TimeAmount = .seconds(3)
    }

    /// What the operator should hear.
    enum Change: Equatable {
        case down(String, reason: String)
        case up(String)
    }

    let timing: Timing
    var onChange: ((Change) -> Void)?
    private(set) var members: [UpstreamMember]
    private let eventLoop: any EventLoop
    private var next = 0
    private var probing: RepeatedTask?

    init(_ upstreams: [Upstream], eventLoop: any EventLoop, timing: Timing = Timing()) {
        self.eventLoop = eventLoop
        self.timing = timing
        members = upstreams.map { UpstreamMember(upstream: $0, nextProbe: .now()) }
        // An interface without HTTP services has nobody to look after.
        guard !upstreams.isEmpty else { return }
        let bound = NIOLoopBound(WeakCluster(self), eventLoop: eventLoop)
        probing = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: timing.tick) { task in
            guard let cluster = bound.value.cluster else {
                task.cancel()
                return
            }
            cluster.probe()
        }
    }

    func shutdown() {
        probing?.cancel()
        probing = nil
        onChange = nil
    }

    var upCount: Int { members.count { $0.isUp } }

    /// `127.0.0.1:8080 (1 of 1 up)`; of several, the first and how many more.
    var text: String {
        let first = members.first?.upstream.text ?? "no upstream"
        let more = members.count > 1 ? " + \(members.count - 1) more" : ""
        return "\(first)\(more) (\(upCount) of \(members.count) up)"
    }

    /// Why nobody is up: each member with its reason.
    var downText: String {
        members.map { "\($0.upstream.text): \($0.trouble ?? "up")" }.joined(separator: "; ")
    }

    /// Whose turn it is: of those not tried yet, the next that is up, else the next that is down; nil when all were tried.
    func pick(excluding tried: Set<Int>) -> Int? {
        var fallback: Int?
        for step in 0..<members.count {
            let index = (next + step) % members.count
            if tried.contains(index) { continue }
            if members[index].isUp {
                next = (index + 1) % members.count
                return index
            }
            fallback = fallback ?? index
        }
        if let fallback { next = (fallback + 1) % members.count }
        return fallback
    }

    func succeeded(_ index: Int) {
        members[index].failures = 0
        members[index].nextProbe = .now() + timing.recheck
        guard !members[index].isUp else { return }
        members[index].trouble = nil
        onChange?(.up(members[index].upstream.text))
    }

    func failed(_ index: Int, _ reason: String) {
        let wasUp = members[index].isUp
        members[index].trouble = reason
        let doubled = timing.backOff * (1 << min(members[index].failures, 5))
        members[index].failures = min(members[index].failures + 1, 16)
        members[index].nextProbe = .now() + min(doubled, timing.recheck)
        if wasUp { onChange?(.down(members[index].upstream.text, reason: reason)) }
    }

    /// Something went wrong that need not be its fault: it stays up, and is looked at soon.
    func suspect(_ index: Int) {
        members[index].nextProbe = .now()
    }

    private func probe() {
        let now = NIODeadline.now()
        for index in members.indices where !members[index].isProbing && members[index].nextProbe <= now {
            members[index].isProbing = true
            let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(timing.connectTimeout)
            let connected =
                switch members[index].upstream.endpoint {
                case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
                case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
                }
            connected.assumeIsolated().whenComplete { [weak self] result in self?.probed(index, result) }
        }
    }

    private func probed(_ index: Int, _ result: Result<any Channel, any Error>) {
        members[index].isProbing = false
        switch result {
        case .success(let channel):
            channel.close(promise: nil)
            succeeded(index)
        case .failure(let error):
            failed(index, UpstreamFailure.text(error))
        }
    }
}

/// Lets a Sendable closure refer to a cluster without keeping it.
private struct WeakCluster {
    weak var cluster: UpstreamCluster?
    init(_ cluster: UpstreamCluster) { self.cluster = cluster }
}
