import Glibc

/// The boot ROM's floating point (RP2040 datasheet 2.8.3.2), on the host's: correctly rounded, where the ROM's is within
/// one unit in the last place.
enum BootROMFloats {
    static func perform(_ operation: FloatOperation, _ machine: Machine) {
        let r = machine.registers
        let a = Float(bitPattern: r[0]), b = Float(bitPattern: r[1])
        func result(_ value: Float) { r[0] = value.bitPattern }
        switch operation {
        case .add: result(a + b)
        case .subtract: result(a - b)
        case .multiply: result(a * b)
        case .divide: result(a / b)
        case .compare: r[0] = order(a, b)
        case .compareFlags:
            r[0] = order(a, b)
            setFlags(machine)
        case .squareRoot: result(a.squareRoot())
        case .toInt: r[0] = UInt32(bitPattern: Int32(clamping: floored(Double(a))))
        case .toFix: r[0] = UInt32(bitPattern: Int32(clamping: floored(scaled(Double(a), r[1]))))
        case .toUInt: r[0] = UInt32(clamping: floored(Double(a)))
        case .toUFix: r[0] = UInt32(clamping: floored(scaled(Double(a), r[1])))
        case .fromInt: result(Float(Int32(bitPattern: r[0])))
        case .fromFix: result(Float(scaled(Double(Int32(bitPattern: r[0])), 0 &- r[1])))
        case .fromUInt: result(Float(r[0]))
        case .fromUFix: result(Float(scaled(Double(r[0]), 0 &- r[1])))
        case .cosine: result(cosf(a))
        case .sine: result(sinf(a))
        case .tangent: result(tanf(a))
        case .sineCosine:
            r[0] = sinf(a).bitPattern
            r[1] = cosf(a).bitPattern
        case .exponential: result(expf(a))
        case .logarithm: result(logf(a))
        case .arcTangent: result(atan2f(a, b))
        case .fromInt64: result(Float(Int64(bitPattern: pair(r, 0))))
        case .fromFix64: result(Float(scaled(Double(Int64(bitPattern: pair(r, 0))), 0 &- r[2])))
        case .fromUInt64: result(Float(pair(r, 0)))
        case .fromUFix64: result(Float(scaled(Double(pair(r, 0)), 0 &- r[2])))
        case .toInt64: setPair(r, UInt64(bitPattern: floored(Double(a))))
        case .toFix64: setPair(r, UInt64(bitPattern: floored(scaled(Double(a), r[1]))))
        case .toUInt64: setPair(r, unsignedFloor(Double(a)))
        case .toUFix64: setPair(r, unsignedFloor(scaled(Double(a), r[1])))
        case .convert: setPair(r, Double(a).bitPattern)
        }
    }

    static func performDouble(_ operation: FloatOperation, _ machine: Machine) {
        let r = machine.registers
        let a = Double(bitPattern: pair(r, 0)), b = Double(bitPattern: pair(r, 2))
        func result(_ value: Double) { setPair(r, value.bitPattern) }
        switch operation {
        case .add: result(a + b)
        case .subtract: result(a - b)
        case .multiply: result(a * b)
        case .divide: result(a / b)
        case .compare: r[0] = order(a, b)
        case .compareFlags:
            r[0] = order(a, b)
            setFlags(machine)
        case .squareRoot: result(a.squareRoot())
        case .toInt: r[0] = UInt32(bitPattern: Int32(clamping: floored(a)))
        case .toFix: r[0] = UInt32(bitPattern: Int32(clamping: floored(scaled(a, r[2]))))
        case .toUInt: r[0] = UInt32(clamping: floored(a))
        case .toUFix: r[0] = UInt32(clamping: floored(scaled(a, r[2])))
        case .fromInt: result(Double(Int32(bitPattern: r[0])))
        case .fromFix: result(scaled(Double(Int32(bitPattern: r[0])), 0 &- r[1]))
        case .fromUInt: result(Double(r[0]))
        case .fromUFix: result(scaled(Double(r[0]), 0 &- r[1]))
        case .cosine: result(cos(a))
        case .sine: result(sin(a))
        case .tangent: result(tan(a))
        case .sineCosine:
            setPair(r, sin(a).bitPattern)
            let cosine = cos(a).bitPattern
            r[2] = UInt32(truncatingIfNeeded: cosine)
            r[3] = UInt32(truncatingIfNeeded: cosine >> 32)
        case .exponential: result(exp(a))
        case .logarithm: result(log(a))
        case .arcTangent: result(atan2(a, b))
        case .fromInt64: result(Double(Int64(bitPattern: pair(r, 0))))
        case .fromFix64: result(scaled(Double(Int64(bitPattern: pair(r, 0))), 0 &- r[2]))
        case .fromUInt64: result(Double(pair(r, 0)))
        case .fromUFix64: result(scaled(Double(pair(r, 0)), 0 &- r[2]))
        case .toInt64: setPair(r, UInt64(bitPattern: floored(a)))
        case .toFix64: setPair(r, UInt64(bitPattern: floored(scaled(a, r[2]))))
        case .toUInt64: setPair(r, unsignedFloor(a))
        case .toUFix64: setPair(r, unsignedFloor(scaled(a, r[2])))
        case .convert: r[0] = Float(a).bitPattern
        }
    }

    // MARK: Parts

    private static func pair(_ r: UnsafeMutablePointer<UInt32>, _ first: Int) -> UInt64 {
        UInt64(r[first]) | UInt64(r[first + 1]) << 32
    }

    private static func setPair(_ r: UnsafeMutablePointer<UInt32>, _ value: UInt64) {
        r[0] = UInt32(truncatingIfNeeded: value)
        r[1] = UInt32(truncatingIfNeeded: value >> 32)
    }

    /// Times two to the power of a signed number in a register, within what a double can tell.
    private static func scaled(_ value: Double, _ power: UInt32) -> Double {
        scalbn(value, max(-2000, min(2000, Int32(bitPattern: power))))
    }

    /// Towards minus infinity, clamped; a NaN is 0.
    private static func floored(_ value: Double) -> Int64 {
        guard !value.isNaN else { return 0 }
        let whole = value.rounded(.down)
        return whole >= 0x1p63 ? .max : whole < -0x1p63 ? .min : Int64(whole)
    }

    private static func unsignedFloor(_ value: Double) -> UInt64 {
        guard !value.isNaN else { return 0 }
        let whole = value.rounded(.down)
        return whole >= 0x1p64 ? .max : whole < 0 ? 0 : UInt64(whole)
    }

    private static func order<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> UInt32 {
        a < b ? .max : a > b ? 1 : 0
    }

    /// As if 0 had been subtracted from r0.
    private static func setFlags(_ machine: Machine) {
        let r0 = machine.registers[0]
        let flags: UInt32 = (r0 & 1 << 31) | (r0 == 0 ? 1 << 30 : 0) | 1 << 29
        machine.xpsr = machine.xpsr & 0x0FFF_FFFF | flags
    }
}
