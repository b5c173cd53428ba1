/// The executor: the loop in which nearly all time is spent. It leaves on a jump when its time is used up, and behind
/// any instruction that needs something from outside; `state.ip` is then where to go on.
///
/// Operands come straight from the predecoded operation. A wide case advances by 2 places, all others by 1.
extension Machine {
    typealias Place = UnsafeMutablePointer<Op>

    // swift-format-ignore
    @inline(never)
    func execute() {
        let s = state
        let r = registers
        let w = s.pointee.windows
        var ip = s.pointee.ip
        while true {
            let op = ip.pointee
            let a = Int(op.a), b = Int(op.b), c = Int(op.c)
            switch op.kind {
            case .undecoded:
                s.pointee.ip = ip
                guard decodeHere() else { return }
            case .halt: s.pointee.ip = ip; pendingHalt = true; return
            case .undefined: s.pointee.ip = ip; pendingFault = .undefined; return
            case .nop, .tail: ip += 1
            case .tailAdd: r[a] = r[a] &+ op.imm; ip += 1
            case .tailAlignSP: r[13] &= ~3; ip += 1

            // Moves
            case .movI: r[a] = op.imm; ip += 1
            case .movIW: r[a] = op.imm; ip += 2
            case .movsI: r[a] = op.imm; s.pointee.nz = Int64(op.imm); ip += 1
            case .movIC: r[a] = op.imm; s.pointee.carry = op.imm >> 31; ip += 1
            case .movR: r[a] = r[b]; ip += 1
            case .movsR: let v = r[b]; r[a] = v; s.setNZ(v); ip += 1
            case .movSP: r[13] = r[b] & ~3; ip += 1
            case .mvnR: r[a] = ~r[b]; ip += 1
            case .mvnsR: let v = ~r[b]; r[a] = v; s.setNZ(v); ip += 1
            case .movtW: r[a] = r[a] & 0xFFFF | op.imm; ip += 2

            // Arithmetic
            case .addI: r[a] = r[b] &+ op.imm; ip += 1
            case .addsI: r[a] = s.add(r[b], op.imm); ip += 1
            case .addR: r[a] = r[b] &+ r[c]; ip += 1
            case .addsR: r[a] = s.add(r[b], r[c]); ip += 1
            case .addSP: r[13] = (r[b] &+ r[c]) & ~3; ip += 1
            case .subI: r[a] = r[b] &- op.imm; ip += 1
            case .subsI: r[a] = s.subtract(r[b], op.imm); ip += 1
            case .subR: r[a] = r[b] &- r[c]; ip += 1
            case .subsR: r[a] = s.subtract(r[b], r[c]); ip += 1
            case .rsbI: r[a] = op.imm &- r[b]; ip += 1
            case .rsbsI: r[a] = s.subtract(op.imm, r[b]); ip += 1
            case .rsbR: r[a] = r[c] &- r[b]; ip += 1
            case .rsbsR: r[a] = s.subtract(r[c], r[b]); ip += 1
            case .adcR: r[a] = r[b] &+ r[c] &+ s.pointee.carry; ip += 1
            case .adcsR: r[a] = s.addWithCarry(r[b], r[c]); ip += 1
            case .sbcR: r[a] = r[b] &+ ~r[c] &+ s.pointee.carry; ip += 1
            case .sbcsR: r[a] = s.addWithCarry(r[b], ~r[c]); ip += 1
            case .addIW: r[a] = r[b] &+ op.imm; ip += 2
            case .subIW: r[a] = r[b] &- op.imm; ip += 2
            case .rsbIW: r[a] = op.imm &- r[b]; ip += 2
            case .addLslW: r[a] = r[b] &+ r[c] &<< op.imm; ip += 2
            case .subLslW: r[a] = r[b] &- r[c] &<< op.imm; ip += 2
            case .rsbLslW: r[a] = (r[c] &<< op.imm) &- r[b]; ip += 2
            case .cmpI: s.subtract(r[b], op.imm); ip += 1
            case .cmpIW: s.subtract(r[b], op.imm); ip += 2
            case .cmpR: s.subtract(r[b], r[c]); ip += 1
            case .cmnR: _ = s.add(r[b], r[c]); ip += 1
            case .tstR: s.setNZ(r[b] & r[c]); ip += 1
            case .teqR: s.setNZ(r[b] ^ r[c]); ip += 1
            case .mulR: r[a] = r[b] &* r[c]; ip += 1
            case .mulsR: let v = r[b] &* r[c]; r[a] = v; s.setNZ(v); ip += 1
            case .mlaW: r[a] = r[b] &* r[c] &+ r[Int(op.imm)]; ip += 2
            case .mlsW: r[a] = r[Int(op.imm)] &- r[b] &* r[c]; ip += 2
            case .umullW: Self.setLong(r, a, op.imm, UInt64(r[b]) &* UInt64(r[c])); ip += 2
            case .smullW: Self.setLong(r, a, op.imm, Self.signedProduct(r[b], r[c])); ip += 2
            case .umlalW: Self.setLong(r, a, op.imm, UInt64(r[b]) &* UInt64(r[c]) &+ Self.long(r, a, op.imm)); ip += 2
            case .smlalW: Self.setLong(r, a, op.imm, Self.signedProduct(r[b], r[c]) &+ Self.long(r, a, op.imm)); ip += 2
            case .udivW:
                if r[c] == 0, traps(divisionByZeroAt: ip) { return }
                r[a] = r[c] == 0 ? 0 : r[b] / r[c]
                ip += 2
            case .sdivW:
                if r[c] == 0, traps(divisionByZeroAt: ip) { return }
                let divisor = Int32(bitPattern: r[c]), dividend = Int32(bitPattern: r[b])
                r[a] = divisor == 0 ? 0 : UInt32(bitPattern: dividend.dividedReportingOverflow(by: divisor).partialValue)
                ip += 2

            // Logic
            case .andR: r[a] = r[b] & r[c]; ip += 1
            case .andsR: let v = r[b] & r[c]; r[a] = v; s.setNZ(v); ip += 1
            case .orrR: r[a] = r[b] | r[c]; ip += 1
            case .orrsR: let v = r[b] | r[c]; r[a] = v; s.setNZ(v); ip += 1
            case .eorR: r[a] = r[b] ^ r[c]; ip += 1
            case .eorsR: let v = r[b] ^ r[c]; r[a] = v; s.setNZ(v); ip += 1
            case .bicR: r[a] = r[b] & ~r[c]; ip += 1
            case .bicsR: let v = r[b] & ~r[c]; r[a] = v; s.setNZ(v); ip += 1
            case .ornR: r[a] = r[b] | ~r[c]; ip += 1
            case .ornsR: let v = r[b] | ~r[c]; r[a] = v; s.setNZ(v); ip += 1
            case .andIW: r[a] = r[b] & op.imm; ip += 2
            case .orrIW: r[a] = r[b] | op.imm; ip += 2
            case .eorIW: r[a] = r[b] ^ op.imm; ip += 2
            case .andLslW: r[a] = r[b] & (r[c] &<< op.imm); ip += 2
            case .andLsrW: r[a] = r[b] & (r[c] >> op.imm); ip += 2
            case .orrLslW: r[a] = r[b] | (r[c] &<< op.imm); ip += 2
            case .orrLsrW: r[a] = r[b] | (r[c] >> op.imm); ip += 2
            case .eorLslW: r[a] = r[b] ^ (r[c] &<< op.imm); ip += 2
            case .eorLsrW: r[a] = r[b] ^ (r[c] >> op.imm); ip += 2

            // Shifts: Swift's plain shifts give 0, or the sign, for amounts of 32 and more
            case .lslI: r[a] = r[b] &<< op.imm; ip += 1
            case .lslsI:
                let x = r[b], v = x &<< op.imm
                s.pointee.carry = (x &>> (0 &- op.imm)) & 1
                r[a] = v; s.setNZ(v); ip += 1
            case .lsrI: r[a] = r[b] >> op.imm; ip += 1
            case .lsrsI:
                let x = r[b], v = x >> op.imm
                s.pointee.carry = (x &>> (op.imm &- 1)) & 1
                r[a] = v; s.setNZ(v); ip += 1
            case .asrI: r[a] = UInt32(bitPattern: Int32(bitPattern: r[b]) >> Int32(bitPattern: op.imm)); ip += 1
            case .asrsI:
                let x = r[b], v = UInt32(bitPattern: Int32(bitPattern: x) >> Int32(bitPattern: op.imm))
                s.pointee.carry = (x &>> (op.imm &- 1)) & 1
                r[a] = v; s.setNZ(v); ip += 1
            case .rorI: r[a] = r[b] &>> op.imm | r[b] &<< (0 &- op.imm); ip += 1
            case .rorsI:
                let v = r[b] &>> op.imm | r[b] &<< (0 &- op.imm)
                s.pointee.carry = v >> 31
                r[a] = v; s.setNZ(v); ip += 1
            case .rrx: r[a] = r[b] >> 1 | s.pointee.carry &<< 31; ip += 1
            case .rrxs:
                let x = r[b], v = x >> 1 | s.pointee.carry &<< 31
                s.pointee.carry = x & 1
                r[a] = v; s.setNZ(v); ip += 1
            case .lslR: r[a] = r[b] << (r[c] & 0xFF); ip += 1
            case .lsrR: r[a] = r[b] >> (r[c] & 0xFF); ip += 1
            case .asrR: r[a] = UInt32(bitPattern: Int32(bitPattern: r[b]) >> Int32(bitPattern: r[c] & 0xFF)); ip += 1
            case .rorR: r[a] = r[b] &>> r[c] | r[b] &<< (0 &- r[c]); ip += 1
            case .lslsR: r[a] = Self.lsl(s, r[b], r[c] & 0xFF); ip += 1
            case .lsrsR: r[a] = Self.lsr(s, r[b], r[c] & 0xFF); ip += 1
            case .asrsR: r[a] = Self.asr(s, r[b], r[c] & 0xFF); ip += 1
            case .rorsR: r[a] = Self.ror(s, r[b], r[c] & 0xFF); ip += 1

            // Bits
            case .sxtb: r[a] = UInt32(bitPattern: Int32(Int8(truncatingIfNeeded: r[b]))); ip += 1
            case .sxth: r[a] = UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: r[b]))); ip += 1
            case .uxtb: r[a] = r[b] & 0xFF; ip += 1
            case .uxth: r[a] = r[b] & 0xFFFF; ip += 1
            case .rev: r[a] = r[b].byteSwapped; ip += 1
            case .rev16: let v = r[b].byteSwapped; r[a] = v >> 16 | v << 16; ip += 1
            case .revsh: r[a] = UInt32(bitPattern: Int32(Int16(truncatingIfNeeded: r[b]).byteSwapped)); ip += 1
            case .rbitW: r[a] = Self.reversed(r[b]); ip += 2
            case .clzW: r[a] = UInt32(truncatingIfNeeded: r[b].leadingZeroBitCount); ip += 2
            case .ubfxW: r[a] = (r[b] &>> UInt32(op.c)) & (UInt32.max &>> (32 &- op.imm)); ip += 2
            case .sbfxW:
                let up = r[b] &<< (32 &- op.imm &- UInt32(op.c))
                r[a] = UInt32(bitPattern: Int32(bitPattern: up) &>> Int32(bitPattern: 32 &- op.imm))
                ip += 2
            case .bfiW: r[a] = r[a] & ~op.imm | (r[b] &<< UInt32(op.c)) & op.imm; ip += 2

            // Loads
            case .ldrI: guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }; ip += 1
            case .ldrR: guard load32(r, w, r[b] &+ r[c], a, ip, 1) else { return }; ip += 1
            case .ldrbI: guard load8(r, w, r[b] &+ op.imm, a, ip, 1) else { return }; ip += 1
            case .ldrbR: guard load8(r, w, r[b] &+ r[c], a, ip, 1) else { return }; ip += 1
            case .ldrhI: guard load16(r, w, r[b] &+ op.imm, a, ip, 1) else { return }; ip += 1
            case .ldrhR: guard load16(r, w, r[b] &+ r[c], a, ip, 1) else { return }; ip += 1
            case .ldrsbI: guard loadSigned8(r, w, r[b] &+ op.imm, a, ip, 1) else { return }; ip += 1
            case .ldrsbR: guard loadSigned8(r, w, r[b] &+ r[c], a, ip, 1) else { return }; ip += 1
            case .ldrshI: guard loadSigned16(r, w, r[b] &+ op.imm, a, ip, 1) else { return }; ip += 1
            case .ldrshR: guard loadSigned16(r, w, r[b] &+ r[c], a, ip, 1) else { return }; ip += 1
            case .ldrIW: guard load32(r, w, r[b] &+ op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrbIW: guard load8(r, w, r[b] &+ op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrhIW: guard load16(r, w, r[b] &+ op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrRW: guard load32(r, w, r[b] &+ r[c] &<< op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrbRW: guard load8(r, w, r[b] &+ r[c] &<< op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrhRW: guard load16(r, w, r[b] &+ r[c] &<< op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrsbRW: guard loadSigned8(r, w, r[b] &+ r[c] &<< op.imm, a, ip, 2) else { return }; ip += 2
            case .ldrshRW: guard loadSigned16(r, w, r[b] &+ r[c] &<< op.imm, a, ip, 2) else { return }; ip += 2

            // Stores
            case .strI: guard store32(w, r[b] &+ op.imm, r[a], ip, 1) else { return }; ip += 1
            case .strR: guard store32(w, r[b] &+ r[c], r[a], ip, 1) else { return }; ip += 1
            case .strbI: guard store8(w, r[b] &+ op.imm, r[a], ip, 1) else { return }; ip += 1
            case .strbR: guard store8(w, r[b] &+ r[c], r[a], ip, 1) else { return }; ip += 1
            case .strhI: guard store16(w, r[b] &+ op.imm, r[a], ip, 1) else { return }; ip += 1
            case .strhR: guard store16(w, r[b] &+ r[c], r[a], ip, 1) else { return }; ip += 1
            case .strIW: guard store32(w, r[b] &+ op.imm, r[a], ip, 2) else { return }; ip += 2
            case .strbIW: guard store8(w, r[b] &+ op.imm, r[a], ip, 2) else { return }; ip += 2
            case .strhIW: guard store16(w, r[b] &+ op.imm, r[a], ip, 2) else { return }; ip += 2
            case .strRW: guard store32(w, r[b] &+ r[c] &<< op.imm, r[a], ip, 2) else { return }; ip += 2
            case .strbRW: guard store8(w, r[b] &+ r[c] &<< op.imm, r[a], ip, 2) else { return }; ip += 2
            case .strhRW: guard store16(w, r[b] &+ r[c] &<< op.imm, r[a], ip, 2) else { return }; ip += 2

            // Several words
            case .ldrd: guard loadDouble(op, ip) else { return }; ip += 1
            case .strd: guard storeDouble(op, ip) else { return }; ip += 1
            case .push: guard push(r, w, op.imm, ip) else { return }; ip += 1
            case .pop: guard pop(r, w, op.imm, 0, ip) else { return }; ip += 1
            case .popPC:
                guard pop(r, w, op.imm, 4, ip) else { return }
                if go(&ip, s, r[15], 1) { return }
            case .ldm: guard loadRun(r, w, op, ip) else { return }; ip += 1
            case .stm: guard storeRun(r, w, op, ip) else { return }; ip += 1
            case .ldmW:
                guard loadMultiple(op, r[b], ip, 2) else { return }
                if op.imm >> 15 == 0 { ip += 2 } else if go(&ip, s, r[15], 2) { return }
            case .ldmdbW:
                guard loadMultiple(op, r[b] &- UInt32(op.imm.nonzeroBitCount) &* 4, ip, 2) else { return }
                if op.imm >> 15 == 0 { ip += 2 } else if go(&ip, s, r[15], 2) { return }
            case .stmW: guard storeMultiple(op, r[b], r[b] &+ UInt32(op.imm.nonzeroBitCount) &* 4, ip, 2) else { return }; ip += 2
            case .stmdbW:
                let start = r[b] &- UInt32(op.imm.nonzeroBitCount) &* 4
                guard storeMultiple(op, start, start, ip, 2) else { return }
                ip += 2
            case .ldrPCW:
                guard loadPC(r, w, op, ip) else { return }
                if go(&ip, s, r[15], 2) { return }
            case .ldrPCRW:
                guard load32(r, w, r[b] &+ r[c] &<< op.imm, 15, ip, 2) else { return }
                if go(&ip, s, r[15], 2) { return }

            // Jumps
            case .b: if Self.jump(&ip, s, op.imm, 8) { return }
            case .beq: if s.isZero { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bne: if !s.isZero { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bcs: if s.isCarry { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bcc: if !s.isCarry { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bmi: if s.isNegative { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bpl: if !s.isNegative { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bvs: if s.isOverflow { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bvc: if !s.isOverflow { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bhi: if s.isCarry && !s.isZero { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bls: if !s.isCarry || s.isZero { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bge: if s.isGreaterOrEqual { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .blt: if !s.isGreaterOrEqual { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bgt: if !s.isZero && s.isGreaterOrEqual { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .ble: if s.isZero || !s.isGreaterOrEqual { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .cbz: if r[a] == 0 { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .cbnz: if r[a] != 0 { if Self.jump(&ip, s, op.imm, 8) { return } } else { ip += 1 }
            case .bW: if Self.jump(&ip, s, op.imm, 16) { return }
            case .blW:
                r[14] = ip[1].imm
                s.note(from: ip, to: Int(bitPattern: ip) &+ Int(Int32(bitPattern: op.imm)))
                if Self.jump(&ip, s, op.imm, 16) { return }
            case .bFar: s.pointee.ip = ip; pendingJump = op.imm | 1; return
            case .blFar: r[14] = ip[1].imm; s.pointee.ip = ip; pendingJump = op.imm | 1; return
            case .bx: if go(&ip, s, r[b], 1) { return }
            case .blx:
                let target = r[b]
                r[14] = op.imm
                if go(&ip, s, target, 1) { return }
            case .movPC: if go(&ip, s, r[b] | 1, 1) { return }
            case .addPC: if go(&ip, s, (r[b] &+ op.imm) | 1, 1) { return }
            case .tbbW, .tbhW:
                let isHalf = op.kind == .tbhW
                let base = b == 15 ? op.imm : r[b]
                guard isHalf
                    ? load16(r, w, base &+ r[c] &<< 1, 16, ip, 2) : load8(r, w, base &+ r[c], 16, ip, 2)
                else { return }
                if go(&ip, s, (op.imm &+ r[16] &<< 1) | 1, 2) { return }

            // Compare and jump
            case .cmpIbeq: if Self.compare(s, r[b], UInt32(op.c), .eq) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbne: if Self.compare(s, r[b], UInt32(op.c), .ne) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbcs: if Self.compare(s, r[b], UInt32(op.c), .cs) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbcc: if Self.compare(s, r[b], UInt32(op.c), .cc) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbhi: if Self.compare(s, r[b], UInt32(op.c), .hi) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbls: if Self.compare(s, r[b], UInt32(op.c), .ls) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbge: if Self.compare(s, r[b], UInt32(op.c), .ge) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIblt: if Self.compare(s, r[b], UInt32(op.c), .lt) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbgt: if Self.compare(s, r[b], UInt32(op.c), .gt) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIble: if Self.compare(s, r[b], UInt32(op.c), .le) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbeq: if Self.compare(s, r[b], r[c], .eq) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbne: if Self.compare(s, r[b], r[c], .ne) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbcs: if Self.compare(s, r[b], r[c], .cs) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbcc: if Self.compare(s, r[b], r[c], .cc) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbhi: if Self.compare(s, r[b], r[c], .hi) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbls: if Self.compare(s, r[b], r[c], .ls) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbge: if Self.compare(s, r[b], r[c], .ge) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRblt: if Self.compare(s, r[b], r[c], .lt) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbgt: if Self.compare(s, r[b], r[c], .gt) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRble: if Self.compare(s, r[b], r[c], .le) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbeqN: if r[b] == UInt32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbneN: if r[b] != UInt32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbcsN: if r[b] >= UInt32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbccN: if r[b] < UInt32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbhiN: if r[b] > UInt32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIblsN: if r[b] <= UInt32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbgeN: if Self.signed(r[b]) >= Int32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbltN: if Self.signed(r[b]) < Int32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbgtN: if Self.signed(r[b]) > Int32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpIbleN: if Self.signed(r[b]) <= Int32(op.c) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbeqN: if r[b] == r[c] { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbneN: if r[b] != r[c] { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbcsN: if r[b] >= r[c] { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbccN: if r[b] < r[c] { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbhiN: if r[b] > r[c] { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRblsN: if r[b] <= r[c] { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbgeN: if Self.signed(r[b]) >= Self.signed(r[c]) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbltN: if Self.signed(r[b]) < Self.signed(r[c]) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbgtN: if Self.signed(r[b]) > Self.signed(r[c]) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }
            case .cmpRbleN: if Self.signed(r[b]) <= Self.signed(r[c]) { if Self.jump(&ip, s, op.imm, 16) { return } } else { ip += 2 }

            // Pairs
            case .addICmpRbneN:
                r[a] = r[b] &+ op.imm
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] != r[Int(n.c)] { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .addICmpRbne:
                r[a] = r[b] &+ op.imm
                ip += 1
                let n = ip.pointee
                if Self.compare(s, r[Int(n.b)], r[Int(n.c)], .ne) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .addICmpIbneN:
                r[a] = r[b] &+ op.imm
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] != UInt32(n.c) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .subICmpIbneN:
                r[a] = r[b] &- op.imm
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] != UInt32(n.c) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .ldrICmpRbccN:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] < r[Int(n.c)] { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .ldrICmpRbhiN:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] > r[Int(n.c)] { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .ldrICmpIbeqN:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] == UInt32(n.c) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .ldrICmpIbneN:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                if r[Int(n.b)] != UInt32(n.c) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .ldrICmpIbeq:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                if Self.compare(s, r[Int(n.b)], UInt32(n.c), .eq) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .ldrICmpIbne:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                if Self.compare(s, r[Int(n.b)], UInt32(n.c), .ne) { if Self.jump(&ip, s, n.imm, 16) { return } } else { ip += 2 }
            case .movRMovR:
                r[a] = r[b]
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)]; ip += 1
            case .movRAddR:
                r[a] = r[b]
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] &+ r[Int(n.c)]; ip += 1
            case .lslILdrR:
                r[a] = r[b] &<< op.imm
                ip += 1
                let n = ip.pointee
                guard load32(r, w, r[Int(n.b)] &+ r[Int(n.c)], Int(n.a), ip, 1) else { return }; ip += 1
            case .lslIAddR:
                r[a] = r[b] &<< op.imm
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] &+ r[Int(n.c)]; ip += 1
            case .addRLdrI:
                r[a] = r[b] &+ r[c]
                ip += 1
                let n = ip.pointee
                guard load32(r, w, r[Int(n.b)] &+ n.imm, Int(n.a), ip, 1) else { return }; ip += 1
            case .movRLdrI:
                r[a] = r[b]
                ip += 1
                let n = ip.pointee
                guard load32(r, w, r[Int(n.b)] &+ n.imm, Int(n.a), ip, 1) else { return }; ip += 1
            case .ldrIAddI:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] &+ n.imm; ip += 1
            case .ldrILdrI:
                guard load32(r, w, r[b] &+ op.imm, a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                guard load32(r, w, r[Int(n.b)] &+ n.imm, Int(n.a), ip, 1) else { return }; ip += 1
            case .strIStrI:
                guard store32(w, r[b] &+ op.imm, r[a], ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                guard store32(w, r[Int(n.b)] &+ n.imm, r[Int(n.a)], ip, 1) else { return }; ip += 1
            case .strIAddI:
                guard store32(w, r[b] &+ op.imm, r[a], ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] &+ n.imm; ip += 1
            case .addILdrI:
                r[a] = r[b] &+ op.imm
                ip += 1
                let n = ip.pointee
                guard load32(r, w, r[Int(n.b)] &+ n.imm, Int(n.a), ip, 1) else { return }; ip += 1
            case .ldrRStrR:
                guard load32(r, w, r[b] &+ r[c], a, ip, 1) else { return }
                ip += 1
                let n = ip.pointee
                guard store32(w, r[Int(n.b)] &+ r[Int(n.c)], r[Int(n.a)], ip, 1) else { return }; ip += 1
            case .lsrIEorR:
                r[a] = r[b] >> op.imm
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] ^ r[Int(n.c)]; ip += 1
            case .eorRAndR:
                r[a] = r[b] ^ r[c]
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] & r[Int(n.c)]; ip += 1
            case .andRLslI:
                r[a] = r[b] & r[c]
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = r[Int(n.b)] &<< n.imm; ip += 1
            case .movIMovI:
                r[a] = op.imm
                ip += 1
                let n = ip.pointee
                r[Int(n.a)] = n.imm; ip += 1
            case .subsIBne:
                r[a] = s.subtract(r[b], op.imm)
                ip += 1
                let n = ip.pointee
                if !s.isZero { if Self.jump(&ip, s, n.imm, 8) { return } } else { ip += 1 }
            case .tstRBeq:
                s.setNZ(r[b] & r[c])
                ip += 1
                let n = ip.pointee
                if s.isZero { if Self.jump(&ip, s, n.imm, 8) { return } } else { ip += 1 }
            case .tstRBne:
                s.setNZ(r[b] & r[c])
                ip += 1
                let n = ip.pointee
                if !s.isZero { if Self.jump(&ip, s, n.imm, 8) { return } } else { ip += 1 }
            case .lslsIBpl:
                let x = r[b], v = x &<< op.imm; s.pointee.carry = (x &>> (0 &- op.imm)) & 1; r[a] = v; s.setNZ(v)
                ip += 1
                let n = ip.pointee
                if !s.isNegative { if Self.jump(&ip, s, n.imm, 8) { return } } else { ip += 1 }

            // Conditional execution
            case .itSkip: ip += s.holds(a) ? 1 : c
            case .itMixed:
                chooseBlock(op, ip)
                ip += 1
            case .itSlow:
                itState = op.a
                s.pointee.ip = ip + 1
                return

            // System
            case .svc: s.pointee.ip = ip + 1; pendingFault = .supervisorCall; return
            case .bkpt: s.pointee.ip = ip; pendingFault = .breakpoint; return
            case .cps: s.pointee.ip = ip + 1; changeProcessorState(op); return
            case .wfi: s.pointee.ip = ip + 1; isWaiting = true; return
            case .wfe:
                s.pointee.ip = ip + 1
                if !eventRegister { isWaiting = true; waitsForEvent = true; return }
                eventRegister = false
                ip += 1
            case .sev: sendEvent(); ip += 1
            case .rareW:
                s.pointee.ip = ip
                guard executeRare(op.imm, ip) else { return }
                ip += 2
            }
        }
    }
}
