/// Instructions that are decoded when they are executed: special registers, exclusive access, saturation, and by way of
/// further files DSP and floating point.
extension Machine {
    /// - Returns: true to go on behind the instruction; false when `state.ip` and what is pending say what to do.
    @inline(never)
    func executeRare(_ code: UInt32, _ ip: Place) -> Bool {
        let h = code >> 16, l = code & 0xFFFF
        let isDone: Bool
        if h & 0xFC00 == 0xEC00 || h & 0xFC00 == 0xFC00 {
            isDone = executeCoprocessor(h, l)
        } else if h & 0xFFE0 == 0xF380, l & 0x8000 != 0 {
            moveToSpecial(Int(h & 0xF), mask: l >> 10 & 3, special: l & 0xFF)
            interruptsChanged = true
            state.pointee.ip = ip + 2
            return false
        } else if h & 0xFFE0 == 0xF3E0, l & 0x8000 != 0 {
            let d = Int(l >> 8 & 0xF)
            if d == 13 || d == 15 {
                isDone = false
            } else {
                registers[d] = special(l & 0xFF)
                isDone = true
            }
        } else if h == 0xF3BF {
            exclusiveAddress = nil
            isDone = true
        } else if h & 0xFE40 == 0xE840 {
            return executeExclusive(h, l, ip)
        } else if h & 0xFB40 == 0xF300 {
            isDone = saturate(h, l)
        } else if model.hasDSP {
            isDone = executeDSP(h, l)
        } else {
            isDone = false
        }
        if !isDone, pendingFault == nil { pendingFault = .undefined }
        guard isDone else { return false }
        guard state.pointee.mustExit else { return true }
        state.pointee.ip = ip + 2
        return false
    }

    // MARK: MRS and MSR (B5.2.2, B5.2.3)

    private func special(_ number: UInt32) -> UInt32 {
        switch number {
        case 0...7:
            var value: UInt32 = 0
            if number & 1 != 0, isPrivileged { value |= ipsr }
            if number & 4 == 0 { value |= xpsr & 0xF80F_0000 }
            return value
        case 8: return isPrivileged ? mainStackPointer : 0
        case 9: return isPrivileged ? processStackPointer : 0
        case 16: return isPrivileged ? primask : 0
        case 17, 18: return isPrivileged ? basepri : 0
        case 19: return isPrivileged ? faultmask : 0
        case 20: return control
        default: return 0
        }
    }

    private func moveToSpecial(_ n: Int, mask: UInt32, special number: UInt32) {
        let value = registers[n]
        if number <= 3 {
            let q = apsrQ, ge = apsrGE
            if mask & 2 != 0 || !model.isV7 { xpsr = value } else { xpsr = xpsr }
            if mask & 2 == 0 { apsrQ = q }
            if mask & 1 == 0 { apsrGE = ge } else if model.hasDSP { apsrGE = value >> 16 & 0xF }
            return
        }
        guard isPrivileged else { return }
        let priorityMask = UInt32(0xFF << (8 - model.priorityBits)) & 0xFF
        switch number {
        case 8: mainStackPointer = value
        case 9: processStackPointer = value
        case 16: primask = value & 1
        case 17 where model.isV7: basepri = value & priorityMask
        case 18 where model.isV7:
            let new = value & priorityMask
            if new != 0, basepri == 0 || new < basepri { basepri = new }
        case 19 where model.isV7: if value & 1 == 0 || executionPriority > -1 { faultmask = value & 1 }
        case 20:
            var new = control
            if !isHandler, new & 2 != value & 2 {
                new ^= 2
                control = new
                swapStacks()
            }
            if model.isV7 { new = new & ~1 | value & 1 }
            if model.hasFPU { new = new & ~4 | value & 4 }
            control = new
        default: break
        }
    }

    // MARK: Exclusive access (A3.4)

    private func executeExclusive(_ h: UInt32, _ l: UInt32, _ ip: Place) -> Bool {
        let n = Int(h & 0xF), t = Int(l >> 12 & 0xF)
        let isLoad = h & 0x10 != 0
        let width: AccessWidth, offset: UInt32, d: Int
        if h & 0x80 == 0 {
            guard h & 0x100 == 0 else { return refuse(ip) }
            (width, offset, d) = (.word, (l & 0xFF) << 2, Int(l >> 8 & 0xF))
        } else {
            guard h & 0x100 == 0, let known = [UInt32(4): AccessWidth.byte, 5: .half][l >> 4 & 0xF] else {
                return refuse(ip)
            }
            (width, offset, d) = (known, 0, Int(l & 0xF))
        }
        guard t < 13 || t == 14, isLoad || d < 13 || d == 14 else { return refuse(ip) }
        let address = registers[n] &+ offset
        guard address & (width.rawValue &- 1) == 0 else {
            pendingFault = .unaligned
            return false
        }
        if isLoad {
            guard let value = load(address, width) else { return false }
            registers[t] = value
            exclusiveAddress = address
        } else if exclusiveAddress == address {
            guard store(address, width, registers[t] & width.mask) else { return false }
            registers[d] = 0
            exclusiveAddress = nil
        } else {
            registers[d] = 1
            exclusiveAddress = nil
        }
        guard state.pointee.mustExit else { return true }
        state.pointee.ip = ip + 2
        return false
    }

    private func refuse(_ ip: Place) -> Bool {
        pendingFault = .undefined
        return false
    }

    // MARK: SSAT, USAT and their halfword forms (A7.7.152, A7.7.213)

    private func saturate(_ h: UInt32, _ l: UInt32) -> Bool {
        let n = Int(h & 0xF), d = Int(l >> 8 & 0xF)
        let amount = (l >> 12 & 7) << 2 | l >> 6 & 3
        let isUnsigned = h & 0x80 != 0, isRight = h & 0x20 != 0
        guard h & 0x10 == 0, h & 0x40 == 0 else { return false }
        let low = Int64(l & 31)
        if isRight, amount == 0 {
            guard model.hasDSP else { return false }
            // SSAT16, USAT16: width of 4 bits
            let bound = low & 15
            let halves = [
                Int64(Int16(truncatingIfNeeded: registers[n])), Int64(Int16(truncatingIfNeeded: registers[n] >> 16)),
            ]
            let results = halves.map { saturated($0, to: isUnsigned ? bound : bound + 1, isUnsigned: isUnsigned) }
            registers[d] = results[0] & 0xFFFF | results[1] << 16
            return true
        }
        let source = Int32(bitPattern: registers[n])
        let operand =
            isRight ? Int64(source >> Int32(amount)) : Int64(Int32(truncatingIfNeeded: Int64(source) << Int64(amount)))
        registers[d] = saturated(operand, to: isUnsigned ? low : low + 1, isUnsigned: isUnsigned)
        return true
    }

    /// Cuts to `bits` and sets Q when that changed the value.
    func saturated(_ value: Int64, to bits: Int64, isUnsigned: Bool) -> UInt32 {
        let top: Int64 = isUnsigned ? (1 << bits) - 1 : (1 << (bits - 1)) - 1
        let bottom: Int64 = isUnsigned ? 0 : -(1 << (bits - 1))
        let result = min(max(value, bottom), top)
        if result != value { apsrQ = true }
        return UInt32(truncatingIfNeeded: result)
    }
}
