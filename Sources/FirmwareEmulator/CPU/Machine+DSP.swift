/// The DSP extension of ARMv7E-M (A5.3.13 to A5.3.17). False for an encoding that does not exist.
extension Machine {
    func executeDSP(_ h: UInt32, _ l: UInt32) -> Bool {
        let n = registers[Int(h & 0xF)], m = registers[Int(l & 0xF)]
        let d = Int(l >> 8 & 0xF)
        guard d != 13, d != 15 || h >> 8 == 0xFB else { return false }
        switch h >> 4 {
        case 0xEAC:
            registers[d] = pack(n, m, l)
            return true
        case 0xFA0...0xFA5 where l & 0xF080 == 0xF080:
            registers[d] = extendAndAdd(h, l, m)
            return true
        case 0xFA8...0xFAF where l & 0x80 == 0:
            guard let result = parallel(Int(h >> 4 & 7), Int(l >> 4 & 7), n, m) else { return false }
            registers[d] = result
            return true
        case 0xFA8: return saturatingAdd(d, Int(l >> 4 & 3), n, m)
        case 0xFAA where l & 0x30 == 0:
            registers[d] = (0..<4).reduce(0) { word, lane in
                word | (apsrGE >> UInt32(lane) & 1 != 0 ? n : m) & 0xFF << UInt32(lane * 8)
            }
            return true
        case 0xFB1...0xFB7: return multiplyAccumulate(h, l, n, m)
        case 0xFBC...0xFBE: return longMultiplyAccumulate(h, l, n, m)
        default: return false
        }
    }

    private static func low(_ value: UInt32) -> Int64 { Int64(Int16(truncatingIfNeeded: value)) }
    private static func high(_ value: UInt32) -> Int64 { Int64(Int16(truncatingIfNeeded: value >> 16)) }

    private func pack(_ n: UInt32, _ m: UInt32, _ l: UInt32) -> UInt32 {
        let amount = (l >> 12 & 7) << 2 | l >> 6 & 3
        if l & 0x20 == 0 { return n & 0xFFFF | (m << amount) & 0xFFFF_0000 }
        let shifted = Int32(bitPattern: m) >> Int32(amount == 0 ? 32 : amount)
        return n & 0xFFFF_0000 | UInt32(bitPattern: shifted) & 0xFFFF
    }

    private func extendAndAdd(_ h: UInt32, _ l: UInt32, _ m: UInt32) -> UInt32 {
        let rotation = (l >> 4 & 3) * 8
        let value = m &>> rotation | m &<< (0 &- rotation)
        let base = h & 0xF == 15 ? 0 : registers[Int(h & 0xF)]
        let isUnsigned = h & 0x10 != 0
        switch h >> 5 & 3 {
        case 0:
            return base &+ (isUnsigned ? value & 0xFFFF : UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: value))))
        case 1:
            let first = isUnsigned ? value & 0xFF : UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: value)))
            let second =
                isUnsigned ? value >> 16 & 0xFF : UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: value >> 16)))
            return (base &+ first) & 0xFFFF | ((base >> 16) &+ second) << 16
        default: return base &+ (isUnsigned ? value & 0xFF : UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: value))))
        }
    }

    private func saturatingAdd(_ d: Int, _ operation: Int, _ n: UInt32, _ m: UInt32) -> Bool {
        let x = Int64(Int32(bitPattern: m))
        var y = Int64(Int32(bitPattern: n))
        if operation & 1 != 0 { y = Int64(Int32(bitPattern: saturated(y * 2, to: 32, isUnsigned: false))) }
        registers[d] = saturated(operation & 2 == 0 ? x + y : x - y, to: 32, isUnsigned: false)
        return true
    }

    /// Additions and subtractions of two halfwords or four bytes: plain with the GE flags, saturating, halving.
    private func parallel(_ operation: Int, _ form: Int, _ n: UInt32, _ m: UInt32) -> UInt32? {
        let isUnsigned = form & 4 != 0, variant = form & 3
        guard variant != 3 else { return nil }
        let isByte = operation == 0 || operation == 4
        let bits: UInt32 = isByte ? 8 : 16
        func lane(_ value: UInt32, _ index: Int) -> Int64 {
            let raw = value >> (UInt32(index) * bits)
            if isByte { return isUnsigned ? Int64(raw & 0xFF) : Int64(Int8(truncatingIfNeeded: raw)) }
            return isUnsigned ? Int64(raw & 0xFFFF) : Int64(Int16(truncatingIfNeeded: raw))
        }
        var result: UInt32 = 0
        var flags: UInt32 = 0
        for index in 0..<(isByte ? 4 : 2) {
            let isAddition: Bool, other: Int
            switch operation {
            case 0, 1: (isAddition, other) = (true, index)
            case 4, 5: (isAddition, other) = (false, index)
            case 2: (isAddition, other) = (index == 1, 1 - index)
            case 6: (isAddition, other) = (index == 0, 1 - index)
            default: return nil
            }
            let value = isAddition ? lane(n, index) + lane(m, other) : lane(n, index) - lane(m, other)
            let kept: Int64
            switch variant {
            case 0:
                kept = value
                let isSet = isUnsigned && isAddition ? value >= 1 << Int64(bits) : value >= 0
                if isSet { flags |= (isByte ? 1 : 3) << UInt32(isByte ? index : index * 2) }
            case 1:
                let top: Int64 = (1 << Int64(isUnsigned ? bits : bits - 1)) - 1
                kept = min(max(value, isUnsigned ? 0 : -top - 1), top)
            default: kept = value >> 1
            }
            let mask: UInt32 = isByte ? 0xFF : 0xFFFF
            result |= (UInt32(truncatingIfNeeded: kept) & mask) << (UInt32(index) * bits)
        }
        if variant == 0 { apsrGE = flags }
        return result
    }

    private func multiplyAccumulate(_ h: UInt32, _ l: UInt32, _ n: UInt32, _ m: UInt32) -> Bool {
        let a = Int(l >> 12 & 0xF), d = Int(l >> 8 & 0xF)
        guard d != 15 else { return false }
        let addend = a == 15 ? 0 : Int64(Int32(bitPattern: registers[a]))
        let swapped = l & 0x10 != 0 ? m >> 16 | m << 16 : m
        let value: Int64
        switch h >> 4 & 7 {
        case 1:
            guard l & 0xC0 == 0 else { return false }
            let x = l & 0x20 != 0 ? Self.high(n) : Self.low(n), y = l & 0x10 != 0 ? Self.high(m) : Self.low(m)
            value = x * y + addend
        case 2, 4:
            guard l & 0xE0 == 0 else { return false }
            let first = Self.low(n) * Self.low(swapped), second = Self.high(n) * Self.high(swapped)
            value = (h >> 4 & 7 == 2 ? first + second : first - second) + addend
        case 3:
            guard l & 0xE0 == 0 else { return false }
            value = (Int64(Int32(bitPattern: n)) * (l & 0x10 != 0 ? Self.high(m) : Self.low(m))) >> 16 + addend
        case 5, 6:
            guard l & 0xE0 == 0 else { return false }
            let product = Int64(Int32(bitPattern: n)) * Int64(Int32(bitPattern: m))
            let rounding: Int64 = l & 0x10 != 0 ? 0x8000_0000 : 0
            let sum = (addend << 32) &+ (h >> 4 & 7 == 5 ? product : 0 &- product) &+ rounding
            registers[d] = UInt32(truncatingIfNeeded: sum >> 32)
            return true
        default:
            guard l & 0xF0 == 0 else { return false }
            let sum = (0..<4).reduce(UInt32(0)) { sum, lane in
                let x = Int32(n >> UInt32(lane * 8) & 0xFF), y = Int32(m >> UInt32(lane * 8) & 0xFF)
                return sum + UInt32((x - y).magnitude)
            }
            registers[d] = sum &+ (a == 15 ? 0 : registers[a])
            return true
        }
        registers[d] = UInt32(truncatingIfNeeded: value)
        if value != Int64(Int32(truncatingIfNeeded: value)) { apsrQ = true }
        return true
    }

    private func longMultiplyAccumulate(_ h: UInt32, _ l: UInt32, _ n: UInt32, _ m: UInt32) -> Bool {
        let high = Int(l >> 8 & 0xF), low = Int(l >> 12 & 0xF)
        guard high < 13 || high == 14, low < 13 || low == 14 else { return false }
        let sum = UInt64(registers[high]) << 32 | UInt64(registers[low])
        let swapped = l & 0x10 != 0 ? m >> 16 | m << 16 : m
        let result: UInt64
        switch (h >> 4 & 7, l >> 4 & 0xF) {
        case (4, 8...11):
            let x = l & 0x20 != 0 ? Self.high(n) : Self.low(n), y = l & 0x10 != 0 ? Self.high(m) : Self.low(m)
            result = sum &+ UInt64(bitPattern: x * y)
        case (4, 12...13), (5, 12...13):
            let first = Self.low(n) * Self.low(swapped), second = Self.high(n) * Self.high(swapped)
            result = sum &+ UInt64(bitPattern: h & 0x10 == 0 ? first + second : first - second)
        case (6, 6): result = UInt64(n) * UInt64(m) + UInt64(registers[high]) + UInt64(registers[low])
        default: return false
        }
        registers[low] = UInt32(truncatingIfNeeded: result)
        registers[high] = UInt32(truncatingIfNeeded: result >> 32)
        return true
    }
}
