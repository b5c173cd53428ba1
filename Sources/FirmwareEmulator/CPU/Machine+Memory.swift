/// The slow paths of the executor: registers, bit-band, unaligned and refused accesses, several words.
extension Machine {
    /// Loads into r[t]. `size` places behind `ip` is where to go on.
    /// - Returns: false when the executor must leave; `state.ip` is then right.
    @inline(never)
    func loadSlow(
        _ address: UInt32, _ width: AccessWidth, isSigned: Bool, _ t: Int, _ ip: Place, _ size: Int
    ) -> Bool {
        state.pointee.ip = ip
        guard let value = load(address, width) else { return false }
        switch (width, isSigned) {
        case (.byte, true): registers[t] = UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: value)))
        case (.half, true): registers[t] = UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: value)))
        default: registers[t] = value
        }
        // A load that is half of a jump must not be cut off from it; the jump leaves instead.
        if !state.pointee.mustExit || t == 15 || t == 16 { return true }
        state.pointee.ip = ip + size
        return false
    }

    @inline(never)
    func storeSlow(_ address: UInt32, _ width: AccessWidth, _ value: UInt32, _ ip: Place, _ size: Int) -> Bool {
        state.pointee.ip = ip
        guard store(address, width, value & width.mask) else { return false }
        guard state.pointee.mustExit else { return true }
        state.pointee.ip = ip + size
        return false
    }

    /// Reads as the CPU does; nil when a fault is pending.
    func load(_ address: UInt32, _ width: AccessWidth) -> UInt32? {
        if address & (width.rawValue &- 1) != 0 {
            guard isUnalignedAllowed else {
                pendingFault = .unaligned
                return nil
            }
            var value: UInt32 = 0
            for index in 0..<width.rawValue {
                guard let byte = load(address &+ index, .byte) else { return nil }
                value |= byte << (index * 8)
            }
            return value
        }
        if debug.hasWatchpoints { debug.note(address, width, isWrite: false) }
        if debug.touched != nil { leaveSoon() }
        switch memory.target(at: address) {
        case .memory(let region, let base):
            return Self.value(region, address &- base, width)
        case .registers(let peripheral):
            guard isPrivileged || address >> 12 != 0xE000E else { break }
            let offset = address &- peripheral.base
            let isWatched = idle.isObserving && !peripheral.isLoopPrivate(offset)
            if isWatched, !peripheral.isStable(offset) { idle.disturb() }
            let value = peripheral.read(offset, width: width) & width.mask
            if isWatched { idle.note(peripheral, offset, width, value, isWrite: false) }
            if !peripheral.isReadFreely(offset), polls.note(address, value) {
                reportPolling(peripheral.name, address, value)
            }
            return value
        case nil:
            if memory.hasBitBand, let (bit, target) = Self.bitBand(address) {
                return load(target, .byte).map { $0 >> bit & 1 }
            }
        }
        pendingFault = .bus(address, isWrite: false)
        return nil
    }

    /// Writes as the CPU does; false when a fault is pending. `value` has no bits above the width.
    func store(_ address: UInt32, _ width: AccessWidth, _ value: UInt32) -> Bool {
        if address & (width.rawValue &- 1) != 0 {
            guard isUnalignedAllowed else {
                pendingFault = .unaligned
                return false
            }
            for index in 0..<width.rawValue {
                guard store(address &+ index, .byte, value >> (index * 8) & 0xFF) else { return false }
            }
            return true
        }
        if debug.hasWatchpoints { debug.note(address, width, isWrite: true) }
        if debug.touched != nil { leaveSoon() }
        switch memory.target(at: address) {
        case .memory(let region, let base):
            let offset = address &- base
            guard offset &+ width.rawValue <= region.size else { break }
            switch region.kind {
            case .ram:
                if idle.isObserving, let old = Self.value(region, offset & ~3, .word) {
                    idle.note(region, offset & ~3, old: old)
                }
                let place = UnsafeMutableRawPointer(region.bytes + Int(offset))
                switch width {
                case .byte: place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
                case .half: place.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
                case .word: place.storeBytes(of: value, as: UInt32.self)
                }
                region.noteWrite(at: offset, count: width.rawValue)
                return true
            case .flash, .rom:
                if region.kind == .flash { idle.disturb() }
                if region.onStore?(offset, width, value) ?? false { return true }
            }
        case .registers(let peripheral):
            guard isPrivileged || address >> 12 != 0xE000E else { break }
            let offset = address &- peripheral.base
            if idle.isObserving, !peripheral.isLoopPrivate(offset) {
                if !peripheral.isNeutral(offset, width: width, value: value) { idle.disturb() }
                idle.note(peripheral, offset, width, value, isWrite: true)
            }
            polls.wrote(address)
            peripheral.write(offset, width: width, value: value)
            return true
        case nil:
            if memory.hasBitBand, let (bit, target) = Self.bitBand(address) {
                guard let old = load(target, .byte) else { return false }
                return store(target, .byte, old & ~(1 << bit) | (value & 1) << bit)
            }
        }
        pendingFault = .bus(address, isWrite: true)
        return false
    }

    private static func value(_ region: MemoryRegion, _ offset: UInt32, _ width: AccessWidth) -> UInt32? {
        guard offset <= region.size &- width.rawValue else { return nil }
        let place = UnsafeRawPointer(region.bytes + Int(offset))
        switch width {
        case .byte: return UInt32(place.loadUnaligned(as: UInt8.self))
        case .half: return UInt32(place.loadUnaligned(as: UInt16.self))
        case .word: return place.loadUnaligned(as: UInt32.self)
        }
    }

    /// The bit and the byte behind an address of the two alias regions (ARMv7-M ARM B3.1; Cortex-M3 TRM 3.7).
    private static func bitBand(_ address: UInt32) -> (bit: UInt32, byte: UInt32)? {
        guard address >> 26 == 0x22 >> 2 || address >> 26 == 0x42 >> 2, address & 0x0200_0000 != 0 else { return nil }
        let offset = address & 0x01FF_FFFF
        return (offset >> 2 & 7, address & 0xF000_0000 | offset >> 5)
    }

    private var isUnalignedAllowed: Bool { model.isV7 && system.configuration & 0x8 == 0 }

    /// Where `words` words from an aligned address lie, when they may be read without a further look.
    private func readWindow(_ start: UInt32, words: Int) -> UnsafeMutableRawPointer? {
        let window = state.pointee.windows[Int(start >> 24)]
        let offset = start &- window.base, count = UInt32(words) * 4
        guard offset <= window.readLimit, window.readLimit - offset >= count else { return nil }
        return UnsafeMutableRawPointer(window.bytes + Int(offset))
    }

    /// The same for writing.
    private func writeWindow(_ start: UInt32, words: Int) -> UnsafeMutableRawPointer? {
        let window = state.pointee.windows[Int(start >> 24)]
        let offset = start &- window.base &- window.writeBase, count = UInt32(words) * 4
        guard offset <= window.writeLimit, window.writeLimit - offset >= count else { return nil }
        return UnsafeMutableRawPointer(window.bytes + Int(start &- window.base))
    }

    /// SP and LR stay as they are for a list register's load that faults: all words are read before one is written.
    func loadMultiple(_ op: Op, _ start: UInt32, _ ip: Place, _ size: Int) -> Bool {
        state.pointee.ip = ip
        guard start & 3 == 0 else {
            pendingFault = .unaligned
            return false
        }
        if op.imm >> 15 == 0, op.imm >> 13 & 1 == 0, let bytes = readWindow(start, words: op.imm.nonzeroBitCount) {
            let end = start &+ UInt32(op.imm.nonzeroBitCount) &* 4
            if op.a != 0 { registers[Int(op.b)] = op.kind == .ldmdbW ? start : end }
            var place = bytes
            for index in 0..<13 where op.imm >> UInt32(index) & 1 != 0 {
                registers[index] = place.loadUnaligned(as: UInt32.self)
                place += 4
            }
            if op.imm >> 14 & 1 != 0 { registers[14] = place.loadUnaligned(as: UInt32.self) }
            guard state.pointee.mustExit else { return true }
            state.pointee.ip = ip + size
            return false
        }
        var values: (UInt32, Int) = (start, 0)
        var loaded = [UInt32](repeating: 0, count: 16)
        for index in 0..<16 where op.imm >> UInt32(index) & 1 != 0 {
            guard let value = load(values.0, .word) else { return false }
            loaded[index] = value
            values = (values.0 &+ 4, values.1 + 1)
        }
        let base = Int(op.b)
        if op.a != 0 {
            let isDown = op.kind == .ldmdbW
            registers[base] = isDown ? start : values.0
        }
        for index in 0..<16 where op.imm >> UInt32(index) & 1 != 0 {
            registers[index] = index == 13 ? loaded[index] & ~3 : loaded[index]
        }
        guard state.pointee.mustExit, op.imm >> 15 == 0 else { return true }
        state.pointee.ip = ip + size
        return false
    }

    /// - Parameter end: what the base becomes with write-back.
    func storeMultiple(_ op: Op, _ start: UInt32, _ end: UInt32, _ ip: Place, _ size: Int) -> Bool {
        state.pointee.ip = ip
        guard start & 3 == 0 else {
            pendingFault = .unaligned
            return false
        }
        if let bytes = writeWindow(start, words: op.imm.nonzeroBitCount) {
            var place = bytes
            for index in 0..<15 where op.imm >> UInt32(index) & 1 != 0 {
                place.storeBytes(of: registers[index], as: UInt32.self)
                place += 4
            }
            if op.a != 0 { registers[Int(op.b)] = end }
            guard state.pointee.mustExit else { return true }
            state.pointee.ip = ip + size
            return false
        }
        var address = start
        for index in 0..<15 where op.imm >> UInt32(index) & 1 != 0 {
            guard store(address, .word, registers[index]) else { return false }
            address = address &+ 4
        }
        if op.a != 0 { registers[Int(op.b)] = end }
        guard state.pointee.mustExit else { return true }
        state.pointee.ip = ip + size
        return false
    }

    func loadDouble(_ op: Op, _ ip: Place) -> Bool {
        state.pointee.ip = ip
        let address = registers[Int(op.b)] &+ op.imm
        guard address & 3 == 0 else {
            pendingFault = .unaligned
            return false
        }
        guard let low = load(address, .word), let high = load(address &+ 4, .word) else { return false }
        registers[Int(op.a)] = low
        registers[Int(op.c)] = high
        guard state.pointee.mustExit else { return true }
        state.pointee.ip = ip + 1
        return false
    }

    func storeDouble(_ op: Op, _ ip: Place) -> Bool {
        state.pointee.ip = ip
        let address = registers[Int(op.b)] &+ op.imm
        guard address & 3 == 0 else {
            pendingFault = .unaligned
            return false
        }
        guard store(address, .word, registers[Int(op.a)]), store(address &+ 4, .word, registers[Int(op.c)]) else {
            return false
        }
        guard state.pointee.mustExit else { return true }
        state.pointee.ip = ip + 1
        return false
    }

    /// A load into r15, with the write-back of its base.
    func loadPC(_ r: Registers, _ w: Windows, _ op: Op, _ ip: Place) -> Bool {
        let base = Int(op.b)
        let moved = r[base] &+ op.imm
        guard load32(r, w, op.c == 2 ? r[base] : moved, 15, ip, 2) else { return false }
        if op.c != 0 { r[base] = moved }
        return true
    }

    private func reportPolling(_ name: String, _ address: UInt32, _ value: UInt32) {
        onDiagnostic?(
            .polling(
                register: name, address: address, value: value, programCounter: programCounter,
                location: location(programCounter)))
    }
}
