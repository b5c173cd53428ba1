/// 32-bit instructions (ARMv7-M ARM A5.3): jumps and control. ARMv6-M has BL, MSR, MRS and the barriers only.
extension Decoder {
    func wide(_ h: UInt32, _ l: UInt32, at address: UInt32) -> Instruction {
        switch bits(h, 11, 2) {
        case 2:
            if l & 0x8000 != 0 { return control(h, l, at: address) }
            guard model.isV7 else { return undefined }
            return h & 0x200 == 0 ? modifiedImmediate(h, l) : plainImmediate(h, l, at: address)
        case 1:
            guard model.isV7 else { return undefined }
            if h & 0x400 != 0 { return coprocessor(h, l) }
            if h & 0x200 != 0 { return shiftedRegister(h, l) }
            return h & 0x40 == 0 ? wideMultiple(h, l) : doubleOrExclusive(h, l, at: address)
        default:
            guard model.isV7 else { return undefined }
            if h & 0x400 != 0 { return coprocessor(h, l) }
            if h & 0x200 == 0 { return h & 0x100 != 0 && h & 0x10 == 0 ? undefined : single(h, l, at: address) }
            if h & 0x100 == 0 { return registerOperation(h, l) }
            return h & 0x80 == 0 ? multiply(h, l) : longMultiply(h, l)
        }
    }

    var undefined: Instruction { Instruction(wide: Op(.undefined)) }

    /// An instruction that is decoded when it is executed.
    func rare(_ h: UInt32, _ l: UInt32) -> Instruction { Instruction(wide: Op(.rareW, imm: h << 16 | l)) }

    private func coprocessor(_ h: UInt32, _ l: UInt32) -> Instruction {
        // Only coprocessors 10 and 11, the FPU, can exist; everything else is refused when it is executed.
        rare(h, l)
    }

    private func control(_ h: UInt32, _ l: UInt32, at address: UInt32) -> Instruction {
        switch (l >> 12) & 5 {
        case 5:
            let target = farTarget(h, l, at: address)
            guard contains(target) else {
                return Instruction(wide: Op(.blFar, imm: target), Op(.tail, imm: (address &+ 4) | 1))
            }
            return Instruction(
                wide: Op(.blW, imm: distance(from: address, to: target)), Op(.tail, imm: (address &+ 4) | 1))
        case 1:
            guard model.isV7 else { return undefined }
            let target = farTarget(h, l, at: address)
            guard contains(target) else { return Instruction(wide: Op(.bFar, imm: target)) }
            return Instruction(wide: Op(.bW, imm: distance(from: address, to: target)))
        case 0: return h & 0x380 == 0x380 ? special(h, l) : wideConditionalJump(h, l, at: address)
        default: return undefined
        }
    }

    /// S:I1:I2:imm10:imm11:0 relative to the address behind (BL, B.W).
    private func farTarget(_ h: UInt32, _ l: UInt32, at address: UInt32) -> UInt32 {
        let sign = (h >> 10) & 1
        let i1 = ~(l >> 13 ^ sign) & 1, i2 = ~(l >> 11 ^ sign) & 1
        let raw = sign << 24 | i1 << 23 | i2 << 22 | (h & 0x3FF) << 12 | (l & 0x7FF) << 1
        return address &+ 4 &+ signed(raw, bits: 25)
    }

    private func wideConditionalJump(_ h: UInt32, _ l: UInt32, at address: UInt32) -> Instruction {
        guard model.isV7 else { return undefined }
        let raw = (h >> 10 & 1) << 20 | (l >> 11 & 1) << 19 | (l >> 13 & 1) << 18 | (h & 0x3F) << 12 | (l & 0x7FF) << 1
        let target = address &+ 4 &+ signed(raw, bits: 21)
        return Instruction(
            wide: Op(.nop), Op(Self.conditional[bits(h, 6, 4)], imm: distance(from: address &+ 2, to: target)))
    }

    private func special(_ h: UInt32, _ l: UInt32) -> Instruction {
        switch bits(h, 4, 7) {
        case 0x38, 0x39, 0x3E, 0x3F: return rare(h, l)
        case 0x3A:
            guard model.isV7 else { return undefined }
            return l & 0x700 == 0 ? Instruction(wide: hint(bits(l, 0, 8)), Op(.tail)) : undefined
        case 0x3B:
            switch bits(l, 4, 4) {
            case 2 where model.isV7: return rare(h, l)
            case 4, 5, 6: return Instruction(wide: Op(.nop))
            default: return undefined
            }
        default: return undefined
        }
    }

    // MARK: Load and store

    private func wideMultiple(_ h: UInt32, _ l: UInt32) -> Instruction {
        let n = bits(h, 0, 4), isLoad = h & 0x10 != 0, writesBack = bits(h, 5, 1)
        let list = l & (isLoad ? 0xDFFF : 0x5FFF)
        guard list != 0, n != 15 else { return undefined }
        switch bits(h, 7, 2) {
        case 1: return Instruction(wide: Op(isLoad ? .ldmW : .stmW, writesBack, n, imm: list))
        case 2: return Instruction(wide: Op(isLoad ? .ldmdbW : .stmdbW, writesBack, n, imm: list))
        default: return undefined
        }
    }

    private func doubleOrExclusive(_ h: UInt32, _ l: UInt32, at address: UInt32) -> Instruction {
        let isIndexed = h & 0x100 != 0, writesBack = h & 0x20 != 0, n = bits(h, 0, 4)
        if !isIndexed, !writesBack {
            if h & 0x80 != 0, h & 0x10 != 0, l & 0xE0 == 0 {
                return Instruction(wide: Op(l & 0x10 != 0 ? .tbhW : .tbbW, 0, n, bits(l, 0, 4), imm: address &+ 4))
            }
            return rare(h, l)
        }
        let amount = (l & 0xFF) << 2
        let offset = h & 0x80 != 0 ? amount : 0 &- amount
        let kind: OpKind = h & 0x10 != 0 ? .ldrd : .strd
        let t = bits(l, 12, 4), t2 = bits(l, 8, 4)
        guard t != 15, t2 != 15 else { return undefined }
        if n == 15 {
            guard kind == .ldrd, !writesBack else { return undefined }
            return Instruction(wide: Op(kind, t, Self.zero, t2, imm: ((address &+ 4) & ~3) &+ offset))
        }
        return Instruction(
            wide: Op(kind, t, n, t2, imm: isIndexed ? offset : 0), writesBack ? Op(.tailAdd, n, imm: offset) : Op(.tail)
        )
    }

    private func single(_ h: UInt32, _ l: UInt32, at address: UInt32) -> Instruction {
        let n = bits(h, 0, 4), t = bits(l, 12, 4)
        let form = Form(isLoad: h & 0x10 != 0, isSigned: h & 0x100 != 0, size: bits(h, 5, 2))
        guard let kinds = Self.singleKinds(form) else { return undefined }
        // A load of a byte or halfword into r15 is a hint (PLD, PLI).
        if t == 15, form.size != 2 { return form.isLoad ? Instruction(wide: Op(.nop)) : undefined }
        if t == 15, !form.isLoad { return undefined }
        let behind: Op = form.isLoad && t == 13 ? Op(.tailAlignSP) : Op(.tail)
        if n == 15 {
            guard form.isLoad else { return undefined }
            let place = ((address &+ 4) & ~3) &+ (h & 0x80 != 0 ? l & 0xFFF : 0 &- (l & 0xFFF))
            if t == 15 { return Instruction(wide: Op(.ldrPCW, 15, Self.zero, 0, imm: place)) }
            if form.size == 2, let value = constant(at: place) {
                return Instruction(wide: Op(.movI, t, imm: value), behind)
            }
            return Instruction(wide: Op(kinds.offset, t, Self.zero, imm: place), behind)
        }
        if h & 0x80 != 0 { return offsetForm(kinds, t, n, l & 0xFFF, behind) }
        if l & 0x800 == 0 {
            guard l & 0x7C0 == 0 else { return undefined }
            let m = bits(l, 0, 4), shift = l >> 4 & 3
            if t == 15 { return Instruction(wide: Op(.ldrPCRW, 15, n, m, imm: shift)) }
            return Instruction(wide: Op(kinds.registerWide, t, n, m, imm: shift), behind)
        }
        let offset = l & 0x200 != 0 ? l & 0xFF : 0 &- (l & 0xFF)
        switch (l & 0x400 != 0, l & 0x100 != 0) {
        case (true, false): return offsetForm(kinds, t, n, offset, behind)
        case (true, true):
            if t == 15 { return Instruction(wide: Op(.ldrPCW, 15, n, 1, imm: offset)) }
            return Instruction(wide: Op(kinds.offset, t, n, imm: offset), Op(.tailAdd, n, imm: offset))
        case (false, true):
            if t == 15 { return Instruction(wide: Op(.ldrPCW, 15, n, 2, imm: offset)) }
            return Instruction(wide: Op(kinds.offset, t, n, imm: 0), Op(.tailAdd, n, imm: offset))
        case (false, false): return undefined
        }
    }

    private func offsetForm(_ kinds: SingleKinds, _ t: Int, _ n: Int, _ offset: UInt32, _ behind: Op) -> Instruction {
        if t == 15 { return Instruction(wide: Op(.ldrPCW, 15, n, 0, imm: offset)) }
        guard let wide = kinds.offsetWide, behind.kind == .tail else {
            return Instruction(wide: Op(kinds.offset, t, n, imm: offset), behind)
        }
        return Instruction(wide: Op(wide, t, n, imm: offset))
    }

    private struct Form {
        var isLoad: Bool, isSigned: Bool, size: Int
    }

    private struct SingleKinds {
        /// With an offset, as one operation of two or as one for the whole; with a register.
        var offset: OpKind, offsetWide: OpKind?, registerWide: OpKind
    }

    private static func singleKinds(_ form: Form) -> SingleKinds? {
        switch (form.isLoad, form.isSigned, form.size) {
        case (true, false, 0): SingleKinds(offset: .ldrbI, offsetWide: .ldrbIW, registerWide: .ldrbRW)
        case (true, false, 1): SingleKinds(offset: .ldrhI, offsetWide: .ldrhIW, registerWide: .ldrhRW)
        case (true, false, 2): SingleKinds(offset: .ldrI, offsetWide: .ldrIW, registerWide: .ldrRW)
        case (true, true, 0): SingleKinds(offset: .ldrsbI, offsetWide: nil, registerWide: .ldrsbRW)
        case (true, true, 1): SingleKinds(offset: .ldrshI, offsetWide: nil, registerWide: .ldrshRW)
        case (false, false, 0): SingleKinds(offset: .strbI, offsetWide: .strbIW, registerWide: .strbRW)
        case (false, false, 1): SingleKinds(offset: .strhI, offsetWide: .strhIW, registerWide: .strhRW)
        case (false, false, 2): SingleKinds(offset: .strI, offsetWide: .strIW, registerWide: .strRW)
        default: nil
        }
    }
}
