/// What the executor's cases are made of; all of it is inlined there.
extension Machine {
    enum Condition { case eq, ne, cs, cc, hi, ls, ge, lt, gt, le }

    @inline(__always) static func signed(_ value: UInt32) -> Int32 { Int32(bitPattern: value) }

    /// Sets the flags of x - y and tells whether the condition holds for it.
    @inline(__always) static func compare(_ s: Core, _ x: UInt32, _ y: UInt32, _ condition: Condition) -> Bool {
        s.subtract(x, y)
        switch condition {
        case .eq: return x == y
        case .ne: return x != y
        case .cs: return x >= y
        case .cc: return x < y
        case .hi: return x > y
        case .ls: return x <= y
        case .ge: return signed(x) >= signed(y)
        case .lt: return signed(x) < signed(y)
        case .gt: return signed(x) > signed(y)
        case .le: return signed(x) <= signed(y)
        }
    }

    /// Goes `distance` bytes along the table. `size` is what the jump itself takes there: time has passed for it.
    /// - Returns: true when the time is used up.
    @inline(__always) static func jump(_ ip: inout Place, _ s: Core, _ distance: UInt32, _ size: Int) -> Bool {
        let distance = Int(Int32(bitPattern: distance))
        ip = Place(bitPattern: Int(bitPattern: ip) &+ distance).unsafelyUnwrapped
        let deadline = s.pointee.deadline &+ distance &- size
        s.pointee.deadline = deadline
        guard Int(bitPattern: ip) > deadline else { return false }
        s.pointee.ip = ip
        return true
    }

    /// Goes to an address with its Thumb bit, as BX and loads of the program counter do.
    /// - Returns: true when the executor must leave.
    @inline(__always) func go(_ ip: inout Place, _ s: Core, _ target: UInt32, _ size: Int) -> Bool {
        let offset = target &- 1 &- s.pointee.codeBase
        guard offset & 1 == 0, offset < s.pointee.codeLimit else {
            s.pointee.ip = ip
            pendingJump = target
            return true
        }
        let place = s.pointee.opsBase &+ Int(offset) &<< 2
        s.note(from: ip, to: place)
        return Self.jump(&ip, s, UInt32(truncatingIfNeeded: place &- Int(bitPattern: ip)), size &* 8)
    }

    @inline(__always) static func setLong(
        _ r: UnsafeMutablePointer<UInt32>, _ high: Int, _ low: UInt32, _ value: UInt64
    ) {
        r[Int(low)] = UInt32(truncatingIfNeeded: value)
        r[high] = UInt32(truncatingIfNeeded: value >> 32)
    }

    @inline(__always) static func long(_ r: UnsafeMutablePointer<UInt32>, _ high: Int, _ low: UInt32) -> UInt64 {
        UInt64(r[high]) << 32 | UInt64(r[Int(low)])
    }

    @inline(__always) static func signedProduct(_ x: UInt32, _ y: UInt32) -> UInt64 {
        UInt64(bitPattern: Int64(signed(x)) &* Int64(signed(y)))
    }

    static func reversed(_ value: UInt32) -> UInt32 {
        var v = value.byteSwapped
        v = (v >> 4) & 0x0F0F_0F0F | (v & 0x0F0F_0F0F) << 4
        v = (v >> 2) & 0x3333_3333 | (v & 0x3333_3333) << 2
        return (v >> 1) & 0x5555_5555 | (v & 0x5555_5555) << 1
    }

    // MARK: Shifts by a register: the carry is the last bit shifted out, unchanged for 0

    @inline(__always) static func lsl(_ s: Core, _ x: UInt32, _ amount: UInt32) -> UInt32 {
        let wide = UInt64(x) << UInt64(amount)
        if amount != 0 { s.pointee.carry = UInt32(truncatingIfNeeded: wide >> 32) & 1 }
        let result = UInt32(truncatingIfNeeded: wide)
        s.setNZ(result)
        return result
    }

    @inline(__always) static func lsr(_ s: Core, _ x: UInt32, _ amount: UInt32) -> UInt32 {
        if amount != 0 { s.pointee.carry = (x >> (amount &- 1)) & 1 }
        let result = x >> amount
        s.setNZ(result)
        return result
    }

    @inline(__always) static func asr(_ s: Core, _ x: UInt32, _ amount: UInt32) -> UInt32 {
        let wide = (Int64(signed(x)) &<< 1) >> Int64(amount)
        if amount != 0 { s.pointee.carry = UInt32(truncatingIfNeeded: wide) & 1 }
        let result = UInt32(truncatingIfNeeded: wide >> 1)
        s.setNZ(result)
        return result
    }

    @inline(__always) static func ror(_ s: Core, _ x: UInt32, _ amount: UInt32) -> UInt32 {
        let result = x &>> amount | x &<< (0 &- amount)
        if amount != 0 { s.pointee.carry = result >> 31 }
        s.setNZ(result)
        return result
    }

    // MARK: Memory: straight into a window, or by the slow path

    /// Rotated right by the width, an offset that is not aligned becomes larger than every limit.
    @inline(__always) static func scaled(_ offset: UInt32, _ shift: UInt32) -> UInt32 {
        offset >> shift | offset << (32 - shift)
    }

    typealias Registers = UnsafeMutablePointer<UInt32>
    typealias Windows = UnsafeMutablePointer<MemoryMap.Window>

    @inline(__always)
    func load32(_ r: Registers, _ w: Windows, _ address: UInt32, _ t: Int, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard Self.scaled(offset, 2) < window.pointee.readLimit >> 2 else {
            return loadSlow(address, .word, isSigned: false, t, ip, size)
        }
        r[t] = UnsafeRawPointer(window.pointee.bytes + Int(offset)).load(as: UInt32.self)
        return true
    }

    @inline(__always)
    func load16(_ r: Registers, _ w: Windows, _ address: UInt32, _ t: Int, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard Self.scaled(offset, 1) < window.pointee.readLimit >> 1 else {
            return loadSlow(address, .half, isSigned: false, t, ip, size)
        }
        r[t] = UInt32(UnsafeRawPointer(window.pointee.bytes + Int(offset)).load(as: UInt16.self))
        return true
    }

    @inline(__always)
    func load8(_ r: Registers, _ w: Windows, _ address: UInt32, _ t: Int, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard offset < window.pointee.readLimit else {
            return loadSlow(address, .byte, isSigned: false, t, ip, size)
        }
        r[t] = UInt32(window.pointee.bytes[Int(offset)])
        return true
    }

    @inline(__always)
    func loadSigned16(_ r: Registers, _ w: Windows, _ address: UInt32, _ t: Int, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard Self.scaled(offset, 1) < window.pointee.readLimit >> 1 else {
            return loadSlow(address, .half, isSigned: true, t, ip, size)
        }
        let value = UnsafeRawPointer(window.pointee.bytes + Int(offset)).load(as: Int16.self)
        r[t] = UInt32(bitPattern: Int32(value))
        return true
    }

    @inline(__always)
    func loadSigned8(_ r: Registers, _ w: Windows, _ address: UInt32, _ t: Int, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard offset < window.pointee.readLimit else {
            return loadSlow(address, .byte, isSigned: true, t, ip, size)
        }
        r[t] = UInt32(bitPattern: Int32(Int8(bitPattern: window.pointee.bytes[Int(offset)])))
        return true
    }

    @inline(__always)
    func store32(_ w: Windows, _ address: UInt32, _ value: UInt32, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard Self.scaled(offset &- window.pointee.writeBase, 2) < window.pointee.writeLimit >> 2 else {
            return storeSlow(address, .word, value, ip, size)
        }
        UnsafeMutableRawPointer(window.pointee.bytes + Int(offset)).storeBytes(of: value, as: UInt32.self)
        return true
    }

    @inline(__always)
    func store16(_ w: Windows, _ address: UInt32, _ value: UInt32, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard Self.scaled(offset &- window.pointee.writeBase, 1) < window.pointee.writeLimit >> 1 else {
            return storeSlow(address, .half, value, ip, size)
        }
        UnsafeMutableRawPointer(window.pointee.bytes + Int(offset))
            .storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
        return true
    }

    @inline(__always)
    func store8(_ w: Windows, _ address: UInt32, _ value: UInt32, _ ip: Place, _ size: Int) -> Bool {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard offset &- window.pointee.writeBase < window.pointee.writeLimit else {
            return storeSlow(address, .byte, value, ip, size)
        }
        window.pointee.bytes[Int(offset)] = UInt8(truncatingIfNeeded: value)
        return true
    }

    /// A run of words in one window, for reading; nil for the slow path. `bytes` is a multiple of 4.
    @inline(__always) static func readable(_ w: Windows, _ address: UInt32, _ bytes: UInt32) -> UnsafeMutablePointer<
        UInt32
    >? {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        guard address & 3 == 0, offset < window.pointee.readLimit, window.pointee.readLimit &- offset >= bytes else {
            return nil
        }
        return UnsafeMutableRawPointer(window.pointee.bytes + Int(offset)).assumingMemoryBound(to: UInt32.self)
    }

    /// The same for writing.
    @inline(__always) static func writable(_ w: Windows, _ address: UInt32, _ bytes: UInt32) -> UnsafeMutablePointer<
        UInt32
    >? {
        let window = w + Int(address >> 24)
        let offset = address &- window.pointee.base
        let inside = offset &- window.pointee.writeBase
        guard address & 3 == 0, inside < window.pointee.writeLimit, window.pointee.writeLimit &- inside >= bytes else {
            return nil
        }
        return UnsafeMutableRawPointer(window.pointee.bytes + Int(offset)).assumingMemoryBound(to: UInt32.self)
    }

    @inline(__always) func push(_ r: Registers, _ w: Windows, _ list: UInt32, _ ip: Place) -> Bool {
        let size = UInt32(list.nonzeroBitCount) &* 4
        let start = r[13] &- size
        guard var place = Self.writable(w, start, size) else {
            return storeMultiple(Op(.stm, 1, 13, imm: list), start, start, ip, 1)
        }
        var rest = list
        while rest != 0 {
            place.pointee = r[rest.trailingZeroBitCount]
            place += 1
            rest &= rest &- 1
        }
        r[13] = start
        return true
    }

    /// - Parameter extra: 4 when the program counter is behind the listed registers; it goes to r15.
    @inline(__always)
    func pop(_ r: Registers, _ w: Windows, _ list: UInt32, _ extra: UInt32, _ ip: Place) -> Bool {
        let size = UInt32(list.nonzeroBitCount) &* 4 &+ extra
        guard var place = Self.readable(w, r[13], size) else {
            return loadMultiple(Op(.ldm, 1, 13, imm: extra == 0 ? list : list | 0x8000), r[13], ip, 1)
        }
        var rest = list
        while rest != 0 {
            r[rest.trailingZeroBitCount] = place.pointee
            place += 1
            rest &= rest &- 1
        }
        if extra != 0 { r[15] = place.pointee }
        r[13] = r[13] &+ size
        return true
    }

    /// LDM with increment; a list with the base leaves the loaded value in it.
    @inline(__always) func loadRun(_ r: Registers, _ w: Windows, _ op: Op, _ ip: Place) -> Bool {
        let start = r[Int(op.b)]
        let size = UInt32(op.imm.nonzeroBitCount) &* 4
        guard var place = Self.readable(w, start, size) else { return loadMultiple(op, start, ip, 1) }
        var rest = op.imm
        while rest != 0 {
            r[rest.trailingZeroBitCount] = place.pointee
            place += 1
            rest &= rest &- 1
        }
        if op.a != 0 { r[Int(op.b)] = start &+ size }
        return true
    }

    /// STM with increment.
    @inline(__always) func storeRun(_ r: Registers, _ w: Windows, _ op: Op, _ ip: Place) -> Bool {
        let start = r[Int(op.b)]
        let size = UInt32(op.imm.nonzeroBitCount) &* 4
        guard var place = Self.writable(w, start, size) else {
            return storeMultiple(op, start, start &+ size, ip, 1)
        }
        var rest = op.imm
        while rest != 0 {
            place.pointee = r[rest.trailingZeroBitCount]
            place += 1
            rest &= rest &- 1
        }
        if op.a != 0 { r[Int(op.b)] = start &+ size }
        return true
    }

    /// Puts the operations of a block with two conditions where they are executed next.
    @inline(never) func chooseBlock(_ op: Op, _ ip: Place) {
        let block = blocks.blocks[Int(op.imm)]
        for (index, inside) in (state.holds(Int(op.a)) ? block.holds : block.fails).enumerated() {
            ip[index + 1] = inside
        }
    }
}
