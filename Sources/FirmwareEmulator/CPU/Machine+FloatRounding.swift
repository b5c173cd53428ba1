/// Rounding to single precision as FPSCR asks (ARMv7-M ARM A2.5, FPRound): four modes, flush-to-zero, and the cumulative
/// bits that rounding sets.
extension Machine {
    /// A number too precise for a single: its nearest double, and on which side of that it lies.
    struct Exact {
        var value: Double
        /// The exact number minus `value`: its sign, or 0.
        var rest: Double = 0

        /// 48 bits fit a double.
        static func product(_ x: Float, _ y: Float) -> Exact { Exact(value: Double(x) * Double(y)) }

        /// Two numbers of up to 48 bits; the rest by Knuth's TwoSum.
        static func sum(_ x: Double, _ y: Double) -> Exact {
            let sum = x + y
            let part = sum - x
            return Exact(value: sum, rest: (x - (sum - part)) + (y - part))
        }

        static func quotient(_ x: Float, _ y: Float) -> Exact {
            let quotient = Double(x) / Double(y)
            // Nothing is left of a division by infinity.
            guard y.isFinite else { return Exact(value: quotient) }
            let remainder = Double(x).addingProduct(-quotient, Double(y))
            return Exact(value: quotient, rest: y < 0 ? -remainder : remainder)
        }

        static func squareRoot(_ x: Float) -> Exact {
            let root = Double(x).squareRoot()
            return Exact(value: root, rest: Double(x).addingProduct(-root, root))
        }
    }

    private enum Cumulative {
        static let overflow: UInt32 = 1 << 2, underflow: UInt32 = 1 << 3, inexact: UInt32 = 1 << 4
    }

    var rounding: FloatingPointRoundingRule {
        switch fpscr >> 22 & 3 {
        case 0: .toNearestOrEven
        case 1: .up
        case 2: .down
        default: .towardZero
        }
    }

    var flushesToZero: Bool { fpscr & 1 << 24 != 0 }

    /// The single for a number that is not a NaN.
    func single(_ exact: Exact, _ mode: FloatingPointRoundingRule) -> UInt32 {
        let value = exact.value
        guard value.isFinite, value != 0 || exact.rest != 0 else { return Float(value).bitPattern }
        let isTiny = Self.isTiny(exact)
        if isTiny, flushesToZero {
            fpscr |= Cumulative.underflow
            return value.sign == .minus ? 0x8000_0000 : 0
        }
        let result = Self.rounded(exact, mode)
        let isInexact = !result.isFinite || Double(result) != value || exact.rest != 0
        guard isInexact else { return result.bitPattern }
        fpscr |= Cumulative.inexact
        if isTiny { fpscr |= Cumulative.underflow }
        if result.isInfinite || Self.isHuge(exact) { fpscr |= Cumulative.overflow }
        return result.bitPattern
    }

    /// 2^128 and more: rounding toward zero makes the largest number of it. What is between the two is no overflow then.
    private static func isHuge(_ exact: Exact) -> Bool {
        let magnitude = exact.value.magnitude
        guard magnitude == 0x1p128 else { return magnitude > 0x1p128 }
        return exact.rest == 0 || (exact.rest < 0) == (exact.value < 0)
    }

    /// Below the smallest normal number, before rounding.
    private static func isTiny(_ exact: Exact) -> Bool {
        let magnitude = exact.value.magnitude
        guard magnitude == 0x1p-126 else { return magnitude < 0x1p-126 }
        return exact.rest != 0 && (exact.rest < 0) != (exact.value < 0)
    }

    private static func rounded(_ exact: Exact, _ mode: FloatingPointRoundingRule) -> Float {
        // A nearest double has a nearest single on one of its sides.
        let guess = Float(exact.value)
        var difference = guess.isFinite ? exact.value - Double(guess) : (guess > 0 ? -1 : 1)
        if difference == 0 { difference = exact.rest }
        guard difference != 0 else { return guess }
        let other = difference > 0 ? guess.nextUp : guess.nextDown
        switch mode {
        case .up: return difference > 0 ? other : guess
        case .down: return difference < 0 ? other : guess
        case .towardZero:
            return guess == 0 || (difference > 0) == (guess > 0) ? guess : other
        default:
            // Only where the double is just half-way can the rest decide otherwise than its own rounding did.
            guard exact.rest != 0, guess.isFinite, other.isFinite else { return guess }
            let middle = Double(guess) + (Double(other) - Double(guess)) / 2
            guard exact.value == middle else { return guess }
            return (exact.rest > 0) == (other > guess) ? other : guess
        }
    }
}
