/// 32-bit data processing (ARMv7-M ARM A5.3.1, A5.3.3, A5.3.11 to A5.3.17).
extension Decoder {
    /// A logical or arithmetic operation in its register form, with and without flags.
    private struct Operation {
        var plain: OpKind, setting: OpKind, isLogical: Bool
        /// Compares and tests: the form without a destination.
        var test: OpKind?
    }

    private static func operation(_ code: Int) -> Operation? {
        switch code {
        case 0: Operation(plain: .andR, setting: .andsR, isLogical: true, test: .tstR)
        case 1: Operation(plain: .bicR, setting: .bicsR, isLogical: true)
        case 2: Operation(plain: .orrR, setting: .orrsR, isLogical: true)
        case 3: Operation(plain: .ornR, setting: .ornsR, isLogical: true)
        case 4: Operation(plain: .eorR, setting: .eorsR, isLogical: true, test: .teqR)
        case 8: Operation(plain: .addR, setting: .addsR, isLogical: false, test: .cmnR)
        case 10: Operation(plain: .adcR, setting: .adcsR, isLogical: false)
        case 11: Operation(plain: .sbcR, setting: .sbcsR, isLogical: false)
        case 13: Operation(plain: .subR, setting: .subsR, isLogical: false, test: .cmpR)
        case 14: Operation(plain: .rsbR, setting: .rsbsR, isLogical: false)
        default: nil
        }
    }

    /// ThumbExpandImm_C: the constant, and whether it was rotated so that its bit 31 becomes the carry.
    private func expand(_ h: UInt32, _ l: UInt32) -> (value: UInt32, isRotated: Bool) {
        let code = (h >> 10 & 1) << 11 | (l >> 12 & 7) << 8 | l & 0xFF
        let byte = code & 0xFF
        guard code >> 10 == 0 else {
            let value = 0x80 | code & 0x7F, by = code >> 7
            return (value >> by | value << ((32 - by) & 31), true)
        }
        switch code >> 8 {
        case 0: return (byte, false)
        case 1: return (byte << 16 | byte, false)
        case 2: return (byte << 24 | byte << 8, false)
        default: return (byte * 0x0101_0101, false)
        }
    }

    func modifiedImmediate(_ h: UInt32, _ l: UInt32) -> Instruction {
        let code = bits(h, 5, 4), sets = h & 0x10 != 0, n = bits(h, 0, 4), d = bits(l, 8, 4)
        let (value, isRotated) = expand(h, l)
        guard let operation = Self.operation(code) else { return undefined }
        let load = Op(sets && operation.isLogical && isRotated ? .movIC : .movI, Self.scratch, imm: value)
        if d == 15 {
            guard sets, let test = operation.test else { return undefined }
            if test == .cmpR { return Instruction(wide: Op(.cmpIW, 0, n, imm: value)) }
            return Instruction(wide: load, Op(test, 0, n, Self.scratch))
        }
        if n == 15 {
            switch code {
            case 2:
                return sets
                    ? Instruction(wide: load, Op(.movsR, d, Self.scratch))
                    : Instruction(wide: Op(.movIW, d, imm: value))
            case 3:
                return sets
                    ? Instruction(wide: load, Op(.mvnsR, d, Self.scratch))
                    : Instruction(wide: Op(.movIW, d, imm: ~value))
            default: break
            }
        }
        let direct: (plain: OpKind?, setting: OpKind?, value: UInt32) =
            switch code {
            case 0: (.andIW, nil, value)
            case 1: (.andIW, nil, ~value)
            case 2: (.orrIW, nil, value)
            case 4: (.eorIW, nil, value)
            case 8: (.addIW, .addsI, value)
            case 13: (.subIW, .subsI, value)
            case 14: (.rsbIW, .rsbsI, value)
            default: (nil, nil, value)
            }
        if sets, let kind = direct.setting {
            return Instruction(wide: Op(kind, d, n, imm: direct.value), d == 13 ? Op(.tailAlignSP) : Op(.tail))
        }
        if !sets, let kind = direct.plain, d != 13 { return Instruction(wide: Op(kind, d, n, imm: direct.value)) }
        if !sets, d == 13, code == 8 || code == 13 {
            return Instruction(wide: Op(code == 8 ? .addI : .subI, d, n, imm: value), Op(.tailAlignSP))
        }
        return Instruction(wide: load, Op(sets ? operation.setting : operation.plain, d, n, Self.scratch))
    }

    func plainImmediate(_ h: UInt32, _ l: UInt32, at address: UInt32) -> Instruction {
        let n = bits(h, 0, 4), d = bits(l, 8, 4)
        let imm12 = (h >> 10 & 1) << 11 | (l >> 12 & 7) << 8 | l & 0xFF
        let imm16 = (h & 0xF) << 12 | imm12
        let low = (l >> 12 & 7) << 2 | l >> 6 & 3
        let behind: Op = d == 13 ? Op(.tailAlignSP) : Op(.tail)
        guard d != 15 else { return undefined }
        switch bits(h, 4, 5) {
        case 0x00, 0x0A:
            let amount = h & 0x80 == 0 ? imm12 : 0 &- imm12
            if n == 15 { return Instruction(wide: Op(.movIW, d, imm: ((address &+ 4) & ~3) &+ amount)) }
            return Instruction(wide: Op(.addI, d, n, imm: amount), behind)
        case 0x04: return Instruction(wide: Op(.movIW, d, imm: imm16))
        case 0x0C: return Instruction(wide: Op(.movtW, d, imm: imm16 << 16))
        case 0x10, 0x12, 0x18, 0x1A: return rare(h, l)
        case 0x14, 0x1C:
            let width = (l & 31) &+ 1
            guard low &+ width <= 32 else { return undefined }
            return Instruction(wide: Op(h & 0x80 != 0 ? .ubfxW : .sbfxW, d, n, Int(low), imm: width))
        case 0x16:
            guard l & 31 >= low else { return undefined }
            let mask = (UInt32.max >> (31 - ((l & 31) &- low))) << low
            return Instruction(wide: Op(.bfiW, d, n == 15 ? Self.zero : n, Int(low), imm: mask))
        default: return undefined
        }
    }

    /// The operation that shifts `m` into the scratch register; nil for LSL #0.
    private func shift(_ l: UInt32, _ m: Int, to d: Int, setsFlags: Bool) -> Op? {
        let amount = (l >> 12 & 7) << 2 | l >> 6 & 3
        switch bits(l, 4, 2) {
        case 0: return amount == 0 ? nil : Op(setsFlags ? .lslsI : .lslI, d, m, imm: amount)
        case 1: return Op(setsFlags ? .lsrsI : .lsrI, d, m, imm: amount == 0 ? 32 : amount)
        case 2: return Op(setsFlags ? .asrsI : .asrI, d, m, imm: amount == 0 ? 32 : amount)
        default:
            if amount == 0 { return Op(setsFlags ? .rrxs : .rrx, d, m) }
            return Op(setsFlags ? .rorsI : .rorI, d, m, imm: amount)
        }
    }

    func shiftedRegister(_ h: UInt32, _ l: UInt32) -> Instruction {
        let code = bits(h, 5, 4), sets = h & 0x10 != 0, n = bits(h, 0, 4), d = bits(l, 8, 4), m = bits(l, 0, 4)
        if code == 6 { return model.hasDSP ? rare(h, l) : undefined }
        guard let operation = Self.operation(code) else { return undefined }
        let isTest = d == 15
        guard !isTest || sets && operation.test != nil else { return undefined }
        if n == 15, code == 2 {
            if let shift = shift(l, m, to: d, setsFlags: sets) { return Instruction(wide: shift) }
            return Instruction(wide: Op(sets ? .movsR : .movR, d, m), d == 13 ? Op(.tailAlignSP) : Op(.tail))
        }
        let amount = (l >> 12 & 7) << 2 | l >> 6 & 3
        if !sets, d != 13, n != 15, let kind = Self.joined(code, bits(l, 4, 2), amount) {
            return Instruction(wide: Op(kind, d, n, m, imm: amount))
        }
        let kind = isTest ? operation.test ?? .undefined : sets ? operation.setting : operation.plain
        let shift = shift(l, m, to: Self.scratch, setsFlags: sets && operation.isLogical)
        let source = shift == nil ? m : Self.scratch
        // MVN is ORN with nothing.
        let real =
            n == 15 && code == 3
            ? Op(sets ? .mvnsR : .mvnR, d, source)
            : Op(d == 13 && code == 8 && shift != nil ? .addSP : kind, isTest ? 0 : d, n, source)
        guard let shift else { return Instruction(wide: real, d == 13 ? Op(.tailAlignSP) : Op(.tail)) }
        return Instruction(wide: shift, real)
    }

    /// The one operation for shift and operation together, where there is one.
    private static func joined(_ code: Int, _ type: Int, _ amount: UInt32) -> OpKind? {
        switch (code, type) {
        case (8, 0): .addLslW
        case (13, 0): .subLslW
        case (14, 0): .rsbLslW
        case (0, 0): .andLslW
        case (2, 0): .orrLslW
        case (4, 0): .eorLslW
        case (0, 1) where amount != 0: .andLsrW
        case (2, 1) where amount != 0: .orrLsrW
        case (4, 1) where amount != 0: .eorLsrW
        default: nil
        }
    }

    func registerOperation(_ h: UInt32, _ l: UInt32) -> Instruction {
        let n = bits(h, 0, 4), d = bits(l, 8, 4), m = bits(l, 0, 4), sets = h & 0x10 != 0
        guard l & 0xF000 == 0xF000 else { return undefined }
        if h & 0x80 == 0, l & 0xF0 == 0 {
            let plain: [OpKind] = [.lslR, .lsrR, .asrR, .rorR], setting: [OpKind] = [.lslsR, .lsrsR, .asrsR, .rorsR]
            return Instruction(wide: Op((sets ? setting : plain)[bits(h, 5, 2)], d, n, m))
        }
        if h & 0x80 == 0, l & 0x80 != 0 {
            guard n == 15 else { return model.hasDSP ? rare(h, l) : undefined }
            let kind: OpKind
            switch bits(h, 4, 3) {
            case 0: kind = .sxth
            case 1: kind = .uxth
            case 4: kind = .sxtb
            case 5: kind = .uxtb
            default: return model.hasDSP ? rare(h, l) : undefined
            }
            let rotation = (l >> 4 & 3) << 3
            if rotation == 0 { return Instruction(wide: Op(kind, d, m)) }
            return Instruction(wide: Op(.rorI, Self.scratch, m, imm: rotation), Op(kind, d, Self.scratch))
        }
        if h & 0xC0 == 0x80, l & 0xC0 == 0x80 {
            switch (bits(h, 4, 2), bits(l, 4, 2)) {
            case (1, 0): return Instruction(wide: Op(.rev, d, m))
            case (1, 1): return Instruction(wide: Op(.rev16, d, m))
            case (1, 2): return Instruction(wide: Op(.rbitW, d, m))
            case (1, 3): return Instruction(wide: Op(.revsh, d, m))
            case (3, 0): return Instruction(wide: Op(.clzW, d, m))
            default: break
            }
        }
        return model.hasDSP ? rare(h, l) : undefined
    }

    func multiply(_ h: UInt32, _ l: UInt32) -> Instruction {
        let n = bits(h, 0, 4), d = bits(l, 8, 4), m = bits(l, 0, 4), a = bits(l, 12, 4)
        if h & 0x70 == 0, l & 0xF0 == 0 {
            return Instruction(wide: Op(.mlaW, d, n, m, imm: UInt32(a == 15 ? Self.zero : a)))
        }
        if h & 0x70 == 0, l & 0xF0 == 0x10 { return Instruction(wide: Op(.mlsW, d, n, m, imm: UInt32(a))) }
        return model.hasDSP ? rare(h, l) : undefined
    }

    func longMultiply(_ h: UInt32, _ l: UInt32) -> Instruction {
        let n = bits(h, 0, 4), high = bits(l, 8, 4), m = bits(l, 0, 4), low = UInt32(bits(l, 12, 4))
        switch (bits(h, 4, 3), bits(l, 4, 4)) {
        case (0, 0): return Instruction(wide: Op(.smullW, high, n, m, imm: low))
        case (1, 15): return Instruction(wide: Op(.sdivW, high, n, m))
        case (2, 0): return Instruction(wide: Op(.umullW, high, n, m, imm: low))
        case (3, 15): return Instruction(wide: Op(.udivW, high, n, m))
        case (4, 0): return Instruction(wide: Op(.smlalW, high, n, m, imm: low))
        case (6, 0): return Instruction(wide: Op(.umlalW, high, n, m, imm: low))
        default: return model.hasDSP ? rare(h, l) : undefined
        }
    }
}
