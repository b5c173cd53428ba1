import Foundation

/// Why a benchmark could not be run or says nothing; the text names the thing and the next step.
public enum BenchmarkError: Error, Equatable, CustomStringConvertible {
    case noRatio(name: String, ours: Double, peer: Double, peerName: String)
    /// One end of a measured link failed.
    case link(host: String, test: String, errno: Int32)
    /// The engine refused a command.
    case refused(String)
    case timeout(waitingFor: String, seconds: Int)
    /// Something that host or guest does not give.
    case environment(String)

    public var description: String {
        switch self {
        case .noRatio(let name, let ours, let peer, let peerName):
            "\(name): ours \(ours), \(peerName) \(peer): no ratio can be made of that"
        case .link(let host, let test, let code):
            "\(test) with \(host): \(code == EPROTO ? "a wrong answer" : String(cString: strerror(code)))"
        case .refused(let reason): reason
        case .timeout(let what, let seconds): "no \(what) within \(seconds) s"
        case .environment(let reason): reason
        }
    }
}
