/// How many bytes one access to memory or to a register moves.
public enum AccessWidth: UInt32, Sendable {
    case byte = 1
    case half = 2
    case word = 4

    /// The bits that a value of this width may have.
    @inlinable public var mask: UInt32 {
        switch self {
        case .byte: 0xFF
        case .half: 0xFFFF
        case .word: 0xFFFF_FFFF
        }
    }
}
