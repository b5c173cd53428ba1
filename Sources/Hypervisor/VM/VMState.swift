import Foundation

/// Everything known of one VM at one moment.
public struct VMState: Sendable, Equatable, Identifiable {
    /// Stable across restarts of the VM and of the engine: `qmp:/run/vms/a.qmp`, or `pid:1234:5678` without a socket.
    public let id: String
    /// Unique in one `VMList`.
    public var name: String
    public let source: VMSource
    public var runState: VMRunState
    public var pid: Int32?
    /// `kvm`, `tcg`…; nil when unknown.
    public var accelerator: String?
    public var cpuCount: Int?
    /// Guest memory, in bytes.
    public var memory: Int64?
    /// CPU use of the QEMU process, percent of one host CPU.
    public var cpuPercent: Double?
    public var startedAt: Date?
    public var qemuVersion: String?
    public var controllers: [USBController] = []
    /// The UNIX socket of its guest agent, if it has one; whether an agent answers is known by asking it.
    public var guestAgentSocket: String?
    /// The last thing that happened to it, such as `guest reset`.
    public var lastEvent: String?

    /// True when commands can be sent to it.
    public var isControllable: Bool {
        switch runState {
        case .running, .paused: true
        case .starting, .shutdown, .lost, .unreachable: false
        }
    }
}

/// What a VM is doing.
public enum VMRunState: Sendable, Equatable, CustomStringConvertible {
    /// Connected, or migrating in: not yet known to run.
    case starting
    case running
    /// Stopped by QEMU or an operator; the reason is QEMU's run state.
    case paused(reason: String)
    /// It ended in order; the reason is QEMU's, such as `guest-shutdown`.
    case shutdown(reason: String)
    /// It was there and went away.
    case lost(reason: String, since: Date)
    /// It is there and cannot be controlled; the reason says what to do.
    case unreachable(reason: String)

    public var description: String {
        switch self {
        case .starting: "starting"
        case .running: "running"
        case .paused(let reason): reason == "paused" ? reason : "paused (\(reason))"
        case .shutdown(let reason): "shut down (\(reason))"
        case .lost(let reason, _): "lost: \(reason)"
        case .unreachable(let reason): "unreachable: \(reason)"
        }
    }

    /// From the `status` of QMP's query-status.
    init(status: String) {
        switch status {
        case "running": self = .running
        case "inmigrate": self = .starting
        case "shutdown": self = .shutdown(reason: "guest-shutdown")
        default: self = .paused(reason: printable(status, limit: 32))
        }
    }
}
