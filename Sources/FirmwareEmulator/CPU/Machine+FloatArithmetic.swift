import Glibc

/// FPv4-SP arithmetic (A2.5): NaNs as the architecture passes them on, default-NaN mode, cumulative exception bits.
extension Machine {
    private static let quiet: UInt32 = 0x40_0000
    private static let defaultNaN: UInt32 = 0x7FC0_0000
    private enum Cumulative {
        static let invalid: UInt32 = 1, divisionByZero: UInt32 = 2, overflow: UInt32 = 4, underflow: UInt32 = 8
        static let inexact: UInt32 = 16, inputDenormal: UInt32 = 128
    }

    func floatArithmetic(_ h: UInt32, _ l: UInt32) -> Bool {
        guard l & 0x100 == 0 else { return false }
        let d = Int((l >> 12 & 0xF) << 1 | h >> 6 & 1)
        let n = Int((h & 0xF) << 1 | l >> 7 & 1)
        let m = Int((l & 0xF) << 1 | l >> 5 & 1)
        let isSecond = l & 0x40 != 0
        let sign: UInt32 = 0x8000_0000
        let x = floats[n], y = floats[m]
        switch h >> 5 & 4 | h >> 4 & 3 {
        case 0:
            let product = product(x, y)
            floats[d] = sum(floats[d], isSecond ? product ^ sign : product)
        case 1:
            let product = product(x, y)
            floats[d] = sum(floats[d] ^ sign, isSecond ? product ^ sign : product)
        case 2:
            let product = product(x, y)
            floats[d] = isSecond ? product ^ sign : product
        case 3: floats[d] = sum(x, y, isDifference: isSecond)
        case 4:
            guard !isSecond else { return false }
            let divisor = Float(bitPattern: flushed(y)), dividend = Float(bitPattern: flushed(x))
            if divisor == 0, dividend != 0, dividend.isFinite { fpscr |= Cumulative.divisionByZero }
            floats[d] = binary(x, y) { .quotient($0, $1) }
        case 5: floats[d] = fused(floats[d] ^ sign, isSecond ? x ^ sign : x, y)
        case 6: floats[d] = fused(floats[d], isSecond ? x ^ sign : x, y)
        default: return floatOther(h, l, d, m)
        }
        return true
    }

    // MARK: NaNs, denormals

    private func isNaN(_ bits: UInt32) -> Bool { bits & 0x7FFF_FFFF > 0x7F80_0000 }
    private func isSignalling(_ bits: UInt32) -> Bool { isNaN(bits) && bits & Self.quiet == 0 }

    private func flushed(_ bits: UInt32) -> UInt32 {
        guard fpscr & 1 << 24 != 0, bits & 0x7F80_0000 == 0, bits & 0x7F_FFFF != 0 else { return bits }
        fpscr |= Cumulative.inputDenormal
        return bits & 0x8000_0000
    }

    private func finished(_ exact: Exact, _ mode: FloatingPointRoundingRule? = nil) -> UInt32 {
        guard !exact.value.isNaN else {
            fpscr |= Cumulative.invalid
            return Self.defaultNaN
        }
        return single(exact, mode ?? rounding)
    }

    /// FPProcessNaNs: a signalling one first, then by position.
    private func passed(_ operands: [UInt32]) -> UInt32? {
        if let first = operands.first(where: isSignalling) {
            fpscr |= Cumulative.invalid
            return fpscr & 1 << 25 != 0 ? Self.defaultNaN : first | Self.quiet
        }
        guard let first = operands.first(where: isNaN) else { return nil }
        return fpscr & 1 << 25 != 0 ? Self.defaultNaN : first
    }

    private func binary(_ x: UInt32, _ y: UInt32, _ operation: (Float, Float) -> Exact) -> UInt32 {
        let x = flushed(x), y = flushed(y)
        if let nan = passed([x, y]) { return nan }
        return finished(operation(Float(bitPattern: x), Float(bitPattern: y)))
    }

    private func product(_ x: UInt32, _ y: UInt32) -> UInt32 { binary(x, y) { .product($0, $1) } }

    private func sum(_ x: UInt32, _ y: UInt32, isDifference: Bool = false) -> UInt32 {
        binary(x, y) { total(Double($0), isDifference ? -Double($1) : Double($1)) }
    }

    /// Opposite numbers make +0, or -0 when rounding is toward minus infinity.
    private func total(_ x: Double, _ y: Double) -> Exact {
        if x == -y, x.isFinite, x.sign != y.sign { return Exact(value: rounding == .down ? -0.0 : 0) }
        return .sum(x, y)
    }

    private func fused(_ addend: UInt32, _ x: UInt32, _ y: UInt32) -> UInt32 {
        let addend = flushed(addend), x = flushed(x), y = flushed(y)
        let fx = Float(bitPattern: x), fy = Float(bitPattern: y)
        let isInvalid = fx.isInfinite && fy == 0 || fx == 0 && fy.isInfinite
        if isNaN(addend), !isSignalling(addend), isInvalid {
            fpscr |= Cumulative.invalid
            return Self.defaultNaN
        }
        if let nan = passed([addend, x, y]) { return nan }
        return finished(total(Double(Float(bitPattern: addend)), Double(fx) * Double(fy)))
    }

    // MARK: One operand

    private func floatOther(_ h: UInt32, _ l: UInt32, _ d: Int, _ m: Int) -> Bool {
        let value = floats[m]
        let isHigh = l & 0x80 != 0
        guard l & 0x40 != 0 else {
            guard l & 0xA0 == 0 else { return false }
            floats[d] = constant((h & 0xF) << 4 | l & 0xF)
            return true
        }
        switch h & 0xF {
        case 0: floats[d] = isHigh ? value & 0x7FFF_FFFF : value
        case 1:
            if !isHigh {
                floats[d] = value ^ 0x8000_0000
            } else {
                let input = flushed(value)
                floats[d] = passed([input]) ?? finished(.squareRoot(Float(bitPattern: input)))
            }
        case 2: floats[d] = fromHalf(UInt16(truncatingIfNeeded: value >> (isHigh ? 16 : 0)))
        case 3:
            let half = UInt32(toHalf(value))
            floats[d] = isHigh ? floats[d] & 0xFFFF | half << 16 : floats[d] & 0xFFFF_0000 | half
        case 4: compare(floats[d], value, isSignalling: isHigh)
        case 5: compare(floats[d], 0, isSignalling: isHigh)
        case 8:
            floats[d] = finished(Exact(value: isHigh ? Double(Int32(bitPattern: value)) : Double(value)))
        case 12, 13:
            let mode: FloatingPointRoundingRule = isHigh ? .towardZero : rounding
            floats[d] = integer(value, scale: 0, isSigned: h & 1 != 0, mode, bits: 32)
        case 10, 11, 14, 15: return fixedPoint(h, l, d)
        default: return false
        }
        return true
    }

    /// VFPExpandImm.
    private func constant(_ code: UInt32) -> UInt32 {
        (code & 0x80) << 24 | (code & 0x40 != 0 ? 0x3E00_0000 : 0x4000_0000) | (code & 0x3F) << 19
    }

    private func compare(_ x: UInt32, _ y: UInt32, isSignalling signals: Bool) {
        let x = flushed(x), y = flushed(y)
        let flags: UInt32
        if isNaN(x) || isNaN(y) {
            flags = 0x3000_0000
            if signals || isSignalling(x) || isSignalling(y) { fpscr |= Cumulative.invalid }
        } else {
            let fx = Float(bitPattern: x), fy = Float(bitPattern: y)
            flags = fx == fy ? 0x6000_0000 : fx < fy ? 0x8000_0000 : 0x2000_0000
        }
        fpscr = fpscr & 0x0FFF_FFFF | flags
    }

    /// FPToFixed: saturates, a NaN becomes 0.
    private func integer(
        _ bits: UInt32, scale: Int, isSigned: Bool, _ mode: FloatingPointRoundingRule, bits width: Int
    ) -> UInt32 {
        let value = Double(Float(bitPattern: flushed(bits)))
        guard !value.isNaN else {
            fpscr |= Cumulative.invalid
            return 0
        }
        let scaled = (value * Double(sign: .plus, exponent: scale, significand: 1)).rounded(mode)
        let top = Double(sign: .plus, exponent: isSigned ? width - 1 : width, significand: 1) - 1
        let bottom = isSigned ? -top - 1 : 0
        if scaled < bottom || scaled > top {
            fpscr |= Cumulative.invalid
        } else if scaled != value * Double(sign: .plus, exponent: scale, significand: 1) {
            fpscr |= Cumulative.inexact
        }
        return UInt32(truncatingIfNeeded: Int64(min(max(scaled, bottom), top)))
    }

    private func fixedPoint(_ h: UInt32, _ l: UInt32, _ d: Int) -> Bool {
        let width = l & 0x80 != 0 ? 32 : 16
        let amount = Int((l & 0xF) << 1 | l >> 5 & 1)
        let isSigned = h & 1 == 0
        guard amount <= width else { return false }
        let fraction = width - amount
        if h & 4 != 0 {
            let raw = integer(floats[d], scale: fraction, isSigned: isSigned, .towardZero, bits: width)
            floats[d] =
                width == 32 ? raw : isSigned ? UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: raw))) : raw & 0xFFFF
        } else {
            let raw = floats[d]
            let value: Double
            if width == 32 {
                value = isSigned ? Double(Int32(bitPattern: raw)) : Double(raw)
            } else {
                value = isSigned ? Double(Int16(truncatingIfNeeded: raw)) : Double(UInt16(truncatingIfNeeded: raw))
            }
            let scaled = value * Double(sign: .plus, exponent: -fraction, significand: 1)
            floats[d] = finished(Exact(value: scaled), .toNearestOrEven)
        }
        return true
    }

    // MARK: Half precision (FPSCR.AHP chooses the alternative format)

    private func fromHalf(_ half: UInt16) -> UInt32 {
        let sign = UInt32(half & 0x8000) << 16, exponent = UInt32(half >> 10 & 31), fraction = UInt32(half & 0x3FF)
        if exponent == 31, fpscr & 1 << 26 == 0 {
            if fraction == 0 { return sign | 0x7F80_0000 }
            if fraction & 0x200 == 0 { fpscr |= Cumulative.invalid }
            return fpscr & 1 << 25 != 0 ? Self.defaultNaN : sign | 0x7FC0_0000 | fraction << 13
        }
        let magnitude =
            exponent == 0
            ? Float(fraction) * 0x1p-24
            : Float(sign: .plus, exponent: Int(exponent) - 15, significand: 1 + Float(fraction) / 1024)
        return sign | magnitude.bitPattern
    }

    private func toHalf(_ bits: UInt32) -> UInt16 {
        let bits = flushed(bits)
        let sign = UInt16(truncatingIfNeeded: bits >> 16 & 0x8000)
        let isAlternative = fpscr & 1 << 26 != 0
        if isNaN(bits) {
            if isAlternative || isSignalling(bits) { fpscr |= Cumulative.invalid }
            if isAlternative { return sign }
            return fpscr & 1 << 25 != 0 ? 0x7E00 : sign | 0x7E00 | UInt16(truncatingIfNeeded: bits >> 13 & 0x1FF)
        }
        let magnitude = Double(Float(bitPattern: bits & 0x7FFF_FFFF))
        let top = isAlternative ? 131_008.0 : 65_504.0
        if magnitude.isInfinite {
            if isAlternative { fpscr |= Cumulative.invalid }
            return sign | (isAlternative ? 0x7FFF : 0x7C00)
        }
        let exponent = max(magnitude == 0 ? -14 : Int(magnitude.exponent), -14)
        let unit = Double(sign: .plus, exponent: exponent - 10, significand: 1)
        let mode: FloatingPointRoundingRule =
            switch rounding {
            case .up: sign == 0 ? .up : .towardZero
            case .down: sign == 0 ? .towardZero : .up
            case let other: other
            }
        let rounded = (magnitude / unit).rounded(mode) * unit
        if rounded > top {
            if isAlternative {
                fpscr |= Cumulative.invalid
                return sign | 0x7FFF
            }
            fpscr |= Cumulative.overflow | Cumulative.inexact
            return sign | (mode == .towardZero ? 0x7BFF : 0x7C00)
        }
        if rounded != magnitude { fpscr |= Cumulative.inexact | (magnitude < 0x1p-14 ? Cumulative.underflow : 0) }
        if rounded < 0x1p-14 { return sign | UInt16(rounded * 0x1p24) }
        let fraction = UInt16((rounded.significand - 1) * 1024)
        return sign | UInt16(Int(rounded.exponent) + 15) << 10 | fraction
    }
}
