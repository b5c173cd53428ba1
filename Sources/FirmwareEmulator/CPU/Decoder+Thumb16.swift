/// 16-bit instructions (ARMv7-M ARM A5.2). Inside an IT block those that set flags do not, except compares.
extension Decoder {
    func narrow(_ h: UInt32, at address: UInt32, inBlock: Bool) -> Op {
        switch h >> 12 {
        case 0x0, 0x1: shiftAddSubtract(h, inBlock)
        case 0x2, 0x3: immediateOperation(h, inBlock)
        case 0x4: h & 0x0800 != 0 ? literalLoad(h, at: address) : registerOperation(h, at: address, inBlock)
        case 0x5: registerOffset(h)
        case 0x6, 0x7, 0x8: immediateOffset(h)
        case 0x9: Op(h & 0x800 != 0 ? .ldrI : .strI, bits(h, 8, 3), 13, imm: (h & 0xFF) << 2)
        case 0xA:
            h & 0x800 != 0
                ? Op(.addI, bits(h, 8, 3), 13, imm: (h & 0xFF) << 2)
                : Op(.movI, bits(h, 8, 3), imm: ((address &+ 4) & ~3) &+ (h & 0xFF) << 2)
        case 0xB: miscellaneous(h, at: address)
        case 0xC: multiple(h)
        case 0xD: conditionalJump(h, at: address)
        case 0xE: jump(to: address &+ 4 &+ signed(h & 0x7FF, bits: 11) &<< 1, from: address, .b)
        default: Op(.undefined)
        }
    }

    func bits(_ value: UInt32, _ low: UInt32, _ count: UInt32) -> Int { Int((value >> low) & ((1 << count) - 1)) }

    func signed(_ value: UInt32, bits: UInt32) -> UInt32 {
        UInt32(bitPattern: Int32(bitPattern: value << (32 - bits)) >> Int32(32 - bits))
    }

    func jump(to target: UInt32, from place: UInt32, _ kind: OpKind) -> Op {
        contains(target) ? Op(kind, imm: distance(from: place, to: target)) : Op(.bFar, imm: target)
    }

    private func shiftAddSubtract(_ h: UInt32, _ inBlock: Bool) -> Op {
        let d = bits(h, 0, 3), m = bits(h, 3, 3)
        let amount = (h >> 6) & 31
        switch bits(h, 11, 2) {
        case 0 where amount == 0: return Op(inBlock ? .movR : .movsR, d, m)
        case 0: return Op(inBlock ? .lslI : .lslsI, d, m, imm: amount)
        case 1: return Op(inBlock ? .lsrI : .lsrsI, d, m, imm: amount == 0 ? 32 : amount)
        case 2: return Op(inBlock ? .asrI : .asrsI, d, m, imm: amount == 0 ? 32 : amount)
        default: break
        }
        let third = bits(h, 6, 3)
        switch bits(h, 9, 2) {
        case 0: return Op(inBlock ? .addR : .addsR, d, m, third)
        case 1: return Op(inBlock ? .subR : .subsR, d, m, third)
        case 2: return Op(inBlock ? .addI : .addsI, d, m, imm: UInt32(third))
        default: return Op(inBlock ? .subI : .subsI, d, m, imm: UInt32(third))
        }
    }

    private func immediateOperation(_ h: UInt32, _ inBlock: Bool) -> Op {
        let d = bits(h, 8, 3), imm = h & 0xFF
        switch bits(h, 11, 2) {
        case 0: return Op(inBlock ? .movI : .movsI, d, imm: imm)
        case 1: return Op(.cmpI, d, d, imm: imm)
        case 2: return Op(inBlock ? .addI : .addsI, d, d, imm: imm)
        default: return Op(inBlock ? .subI : .subsI, d, d, imm: imm)
        }
    }

    private func registerOperation(_ h: UInt32, at address: UInt32, _ inBlock: Bool) -> Op {
        if h & 0x0400 != 0 { return highRegister(h, at: address) }
        let d = bits(h, 0, 3), m = bits(h, 3, 3)
        switch bits(h, 6, 4) {
        case 0x0: return Op(inBlock ? .andR : .andsR, d, d, m)
        case 0x1: return Op(inBlock ? .eorR : .eorsR, d, d, m)
        case 0x2: return Op(inBlock ? .lslR : .lslsR, d, d, m)
        case 0x3: return Op(inBlock ? .lsrR : .lsrsR, d, d, m)
        case 0x4: return Op(inBlock ? .asrR : .asrsR, d, d, m)
        case 0x5: return Op(inBlock ? .adcR : .adcsR, d, d, m)
        case 0x6: return Op(inBlock ? .sbcR : .sbcsR, d, d, m)
        case 0x7: return Op(inBlock ? .rorR : .rorsR, d, d, m)
        case 0x8: return Op(.tstR, d, d, m)
        case 0x9: return Op(inBlock ? .rsbI : .rsbsI, d, m, imm: 0)
        case 0xA: return Op(.cmpR, d, d, m)
        case 0xB: return Op(.cmnR, d, d, m)
        case 0xC: return Op(inBlock ? .orrR : .orrsR, d, d, m)
        case 0xD: return Op(inBlock ? .mulR : .mulsR, d, d, m)
        case 0xE: return Op(inBlock ? .bicR : .bicsR, d, d, m)
        default: return Op(inBlock ? .mvnR : .mvnsR, d, m)
        }
    }

    private func highRegister(_ h: UInt32, at address: UInt32) -> Op {
        let d = bits(h, 0, 3) | bits(h, 7, 1) << 3, m = bits(h, 3, 4)
        switch bits(h, 8, 2) {
        case 0:
            if d == 15 { return m == 15 ? Op(.undefined) : Op(.addPC, 15, m, imm: address &+ 4) }
            if m == 15 { return Op(d == 13 ? .undefined : .addI, d, d, imm: address &+ 4) }
            return Op(d == 13 ? .addSP : .addR, d, d, m)
        case 1: return d == 15 || m == 15 ? Op(.undefined) : Op(.cmpR, d, d, m)
        case 2:
            if d == 15 {
                return m == 15 ? jump(to: address &+ 4, from: address, .b) : Op(.movPC, 15, m)
            }
            if m == 15 { return Op(d == 13 ? .undefined : .movI, d, imm: address &+ 4) }
            return Op(d == 13 ? .movSP : .movR, d, m)
        default:
            guard h & 7 == 0, m != 15 else { return Op(.undefined) }
            return Op(h & 0x80 != 0 ? .blx : .bx, 0, m, imm: (address &+ 2) | 1)
        }
    }

    private func literalLoad(_ h: UInt32, at address: UInt32) -> Op {
        let place = ((address &+ 4) & ~3) &+ (h & 0xFF) << 2
        if let value = constant(at: place) { return Op(.movI, bits(h, 8, 3), imm: value) }
        return Op(.ldrI, bits(h, 8, 3), Self.zero, imm: place)
    }

    private func registerOffset(_ h: UInt32) -> Op {
        let kinds: [OpKind] = [.strR, .strhR, .strbR, .ldrsbR, .ldrR, .ldrhR, .ldrbR, .ldrshR]
        return Op(kinds[bits(h, 9, 3)], bits(h, 0, 3), bits(h, 3, 3), bits(h, 6, 3))
    }

    private func immediateOffset(_ h: UInt32) -> Op {
        let t = bits(h, 0, 3), n = bits(h, 3, 3), imm = (h >> 6) & 31
        let isLoad = h & 0x800 != 0
        switch h >> 12 {
        case 6: return Op(isLoad ? .ldrI : .strI, t, n, imm: imm << 2)
        case 7: return Op(isLoad ? .ldrbI : .strbI, t, n, imm: imm)
        default: return Op(isLoad ? .ldrhI : .strhI, t, n, imm: imm << 1)
        }
    }

    private func multiple(_ h: UInt32) -> Op {
        let n = bits(h, 8, 3), list = h & 0xFF
        guard list != 0 else { return Op(.undefined) }
        if h & 0x800 == 0 { return Op(.stm, 1, n, imm: list) }
        return Op(.ldm, list & (1 << UInt32(n)) == 0 ? 1 : 0, n, imm: list)
    }

    private func conditionalJump(_ h: UInt32, at address: UInt32) -> Op {
        let condition = bits(h, 8, 4)
        if condition == 14 { return Op(.undefined, imm: h & 0xFF) }
        if condition == 15 { return Op(.svc, imm: h & 0xFF) }
        let target = address &+ 4 &+ signed(h & 0xFF, bits: 8) &<< 1
        return Op(Self.conditional[condition], imm: distance(from: address, to: target))
    }

    static let conditional: [OpKind] = [
        .beq, .bne, .bcs, .bcc, .bmi, .bpl, .bvs, .bvc, .bhi, .bls, .bge, .blt, .bgt, .ble,
    ]

    private func miscellaneous(_ h: UInt32, at address: UInt32) -> Op {
        let d = bits(h, 0, 3), m = bits(h, 3, 3)
        switch bits(h, 8, 4) {
        case 0x0: return Op(h & 0x80 != 0 ? .subI : .addI, 13, 13, imm: (h & 0x7F) << 2)
        case 0x2: return Op([OpKind.sxth, .sxtb, .uxth, .uxtb][bits(h, 6, 2)], d, m)
        case 0x4, 0x5:
            let list = (h & 0xFF) | (h & 0x100) << 6
            return list == 0 ? Op(.undefined) : Op(.push, imm: list)
        case 0x6:
            // CPS: 1011 0110 011 im 0 A I F
            guard h & 0xE8 == 0x60, h & 7 != 0 else { return Op(.undefined) }
            return Op(.cps, Int(h & 0x10) >> 4, bits(h, 0, 3))
        case 0xA where bits(h, 6, 2) != 2: return Op([OpKind.rev, .rev16, .undefined, .revsh][bits(h, 6, 2)], d, m)
        case 0xC, 0xD:
            let list = h & 0xFF
            if h & 0x100 != 0 { return Op(.popPC, imm: list) }
            return list == 0 ? Op(.undefined) : Op(.pop, imm: list)
        case 0xE: return Op(.bkpt, imm: h & 0xFF)
        case 0xF: return h & 0xF == 0 ? hint(bits(h, 4, 4)) : conditionalBlock(h)
        case 0x1, 0x3, 0x9, 0xB:
            guard model.isV7 else { return Op(.undefined) }
            let target = address &+ 4 &+ ((h >> 3) & 31 | (h >> 9 & 1) << 5) << 1
            return Op(h & 0x800 != 0 ? .cbnz : .cbz, d, imm: distance(from: address, to: target))
        default: return Op(.undefined)
        }
    }

    func hint(_ number: Int) -> Op {
        switch number {
        case 2: Op(.wfe)
        case 3: Op(.wfi)
        case 4: Op(.sev)
        default: Op(.nop)
        }
    }

    private func conditionalBlock(_ h: UInt32) -> Op {
        guard model.isV7, bits(h, 4, 4) < 15 else { return Op(.undefined) }
        // The block itself is looked at by ``decodeBlock(at:_:)``.
        return Op(.itSkip, bits(h, 4, 4), imm: h & 0xFF)
    }
}
