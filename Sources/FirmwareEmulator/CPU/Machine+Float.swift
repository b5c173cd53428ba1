/// The single-precision floating-point extension FPv4-SP (A2.5, A5.3.18, A6): loads, stores and moves. Arithmetic is
/// in `Machine+FloatArithmetic`.
extension Machine {
    /// - Returns: false when the encoding does not exist or a fault is pending.
    func executeCoprocessor(_ h: UInt32, _ l: UInt32) -> Bool {
        guard l >> 9 & 7 == 5, system.isFloatEnabled, h & 0x1000 == 0 else {
            pendingFault = .noCoprocessor
            return false
        }
        if control & 4 == 0, system.floatContextControl & 1 << 31 != 0 {
            control |= 4
            fpscr = fpscr & ~0x07C0_0000 | system.floatDefaults
        }
        if h & 0xFF00 == 0xEE00 { return l & 0x10 == 0 ? floatArithmetic(h, l) : moveOne(h, l) }
        return h & 0xFFE0 == 0xEC40 ? moveTwo(h, l) : floatMemory(h, l)
    }

    /// The number of S registers behind a D register's or an S register's fields.
    private func first(_ l: UInt32, _ four: UInt32, _ one: UInt32) -> Int {
        l & 0x100 != 0 ? Int((one << 4 | four) << 1) : Int(four << 1 | one)
    }

    private func floatMemory(_ h: UInt32, _ l: UInt32) -> Bool {
        let n = Int(h & 0xF), isLoad = h & 0x10 != 0, isUp = h & 0x80 != 0, isDouble = l & 0x100 != 0
        let start = first(l, l >> 12 & 0xF, h >> 6 & 1)
        let offset = (l & 0xFF) << 2
        let isSingle = h & 0x120 == 0x100
        let count = isSingle ? (isDouble ? 2 : 1) : Int(l & 0xFF) & (isDouble ? ~1 : ~0)
        guard start + count <= 32, count > 0, isSingle || h & 0x180 == 0x80 || h & 0x1A0 == 0x120, n != 15 || isSingle
        else { return false }
        let base = n == 15 ? (programCounter &+ 4) & ~3 : registers[n]
        let address: UInt32
        if isSingle {
            address = isUp ? base &+ offset : base &- offset
        } else {
            address = isUp ? base : base &- offset
        }
        guard address & 3 == 0 else {
            pendingFault = .unaligned
            return false
        }
        for index in 0..<count {
            let place = address &+ UInt32(index) &* 4
            if isLoad {
                guard let value = load(place, .word) else { return false }
                floats[start + index] = value
            } else if !store(place, .word, floats[start + index]) {
                return false
            }
        }
        if !isSingle, h & 0x20 != 0 {
            let moved = isUp ? base &+ offset : base &- offset
            registers[n] = n == 13 ? moved & ~3 : moved
        }
        return true
    }

    private func moveTwo(_ h: UInt32, _ l: UInt32) -> Bool {
        let start = first(l, l & 0xF, l >> 5 & 1)
        let t = Int(l >> 12 & 0xF), t2 = Int(h & 0xF)
        guard l & 0xD0 == 0x10, start < 31, t != 13, t != 15, t2 != 13, t2 != 15 else { return false }
        if h & 0x10 != 0 {
            registers[t] = floats[start]
            registers[t2] = floats[start + 1]
        } else {
            floats[start] = registers[t]
            floats[start + 1] = registers[t2]
        }
        return true
    }

    private func moveOne(_ h: UInt32, _ l: UInt32) -> Bool {
        let t = Int(l >> 12 & 0xF), isRead = h & 0x10 != 0
        if h & 0xE0 == 0xE0 {
            guard h & 0xF == 1, l & 0x100 == 0 else { return false }
            if !isRead {
                fpscr = registers[t] & 0xF7C0_009F
            } else if t == 15 {
                state.flagBits = fpscr
            } else {
                registers[t] = fpscr
            }
            return true
        }
        guard t != 13, t != 15 else { return false }
        let place: Int
        if l & 0x100 == 0 {
            guard h & 0xE0 == 0 else { return false }
            place = Int((h & 0xF) << 1 | l >> 7 & 1)
        } else {
            guard h & 0xC0 == 0, l & 0x60 == 0, l & 0x80 == 0 else { return false }
            place = Int((h & 0xF) << 1 | h >> 5 & 1)
        }
        if isRead { registers[t] = floats[place] } else { floats[place] = registers[t] }
        return true
    }
}
