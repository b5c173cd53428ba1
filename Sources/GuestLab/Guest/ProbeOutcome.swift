/// How a boot probe under an accelerator went.
enum ProbeOutcome: Sendable, Equatable {
    case booted(in: Duration)
    /// The kernel printed nothing at all.
    case silent(for: Duration)
    /// It printed something, then never reached user space.
    case stuck(for: Duration, lastLine: String)
    /// QEMU refused or died.
    case ended(String)

    /// The choice for an outcome of the KVM probe.
    var choice: AcceleratorChoice {
        switch self {
        case .booted(let time):
            AcceleratorChoice(accelerator: .kvm, reason: "KVM: a probe guest booted in \(Self.seconds(time)) s")
        case .silent(let time):
            AcceleratorChoice(
                accelerator: .tcg,
                reason: "TCG: /dev/kvm opens, but a probe guest under it printed nothing in \(Self.seconds(time)) s")
        case .stuck(let time, let line):
            AcceleratorChoice(
                accelerator: .tcg,
                reason:
                    "TCG: a probe guest under KVM did not reach user space in \(Self.seconds(time)) s; last: \(line)")
        case .ended(let reason):
            AcceleratorChoice(accelerator: .tcg, reason: "TCG: QEMU under KVM \(reason)")
        }
    }

    private static func seconds(_ duration: Duration) -> String {
        let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
