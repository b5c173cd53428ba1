/// The processor cores that can be emulated, with what differs between them.
public enum CoreModel: Sendable {
    case cortexM0
    case cortexM0plus
    case cortexM3
    case cortexM4
    /// With the single-precision floating-point unit.
    case cortexM4F

    /// ARMv7-M: Thumb-2, faults by kind, BASEPRI, unaligned access, bit-band.
    public var isV7: Bool {
        switch self {
        case .cortexM0, .cortexM0plus: false
        case .cortexM3, .cortexM4, .cortexM4F: true
        }
    }
    /// ARMv7E-M: the DSP instructions.
    public var hasDSP: Bool { self == .cortexM4 || self == .cortexM4F }
    public var hasFPU: Bool { self == .cortexM4F }
    /// Where the vector table starts can be set.
    public var hasVTOR: Bool { self != .cortexM0 }
    /// SCB.CPUID.
    public var cpuid: UInt32 {
        switch self {
        case .cortexM0: 0x410C_C200
        case .cortexM0plus: 0x410C_C601
        case .cortexM3: 0x411F_C231
        case .cortexM4, .cortexM4F: 0x410F_C241
        }
    }
    /// Bits of an exception's priority that exist in STM32 chips.
    public var priorityBits: Int { isV7 ? 4 : 2 }
}
