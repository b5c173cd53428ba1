/// What runs a guest's instructions.
public enum Accelerator: String, Sendable, Codable {
    case kvm
    /// QEMU's translator: always there, several times slower.
    case tcg

    /// `host` because a kernel under KVM may as well see the real processor; TCG's default model suits its kernel.
    var qemuArguments: [String] {
        switch self {
        case .kvm: ["-accel", "kvm", "-cpu", "host"]
        case .tcg: ["-accel", "tcg"]
        }
    }
}
