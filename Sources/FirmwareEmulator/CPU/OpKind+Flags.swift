extension OpKind {
    /// Which flags an operation reads and sets, and whether straight-line analysis must end at it.
    struct Effect {
        var reads: Flags = []
        var sets: Flags = []
        var isBarrier = false
    }

    var effect: Effect {
        switch self {
        case .movsI, .movsR, .mvnsR, .mulsR: Effect(sets: .nz)
        case .movIC: Effect(sets: .c)
        case .addsI, .addsR, .subsI, .subsR, .rsbsI, .rsbsR, .cmpI, .cmpR, .cmpIW, .cmnR: Effect(sets: .all)
        case .adcsR, .sbcsR: Effect(reads: .c, sets: .all)
        case .adcR, .sbcR, .rrx: Effect(reads: .c)
        case .rrxs: Effect(reads: .c, sets: .nzc)
        case .tstR, .teqR, .andsR, .orrsR, .eorsR, .bicsR, .ornsR: Effect(sets: .nz)
        case .lslsI, .lsrsI, .asrsI, .rorsI: Effect(sets: .nzc)
        // A shift by zero leaves the carry as it is.
        case .lslsR, .lsrsR, .asrsR, .rorsR: Effect(reads: .c, sets: .nzc)
        case .nop, .tail, .tailAdd, .tailAlignSP,
            .movI, .movR, .movSP, .mvnR, .movIW, .movtW,
            .addI, .addR, .addSP, .subI, .subR, .rsbI, .rsbR, .addIW, .subIW, .rsbIW, .addLslW, .subLslW, .rsbLslW,
            .mulR, .mlaW, .mlsW, .umullW, .smullW, .umlalW, .smlalW, .udivW, .sdivW,
            .andR, .orrR, .eorR, .bicR, .ornR, .andIW, .orrIW, .eorIW, .andLslW, .andLsrW, .orrLslW, .orrLsrW,
            .eorLslW, .eorLsrW,
            .lslI, .lsrI, .asrI, .rorI, .lslR, .lsrR, .asrR, .rorR,
            .sxtb, .sxth, .uxtb, .uxth, .rev, .rev16, .revsh, .rbitW, .clzW, .ubfxW, .sbfxW, .bfiW,
            .ldrI, .ldrbI, .ldrhI, .ldrsbI, .ldrshI, .ldrR, .ldrbR, .ldrhR, .ldrsbR, .ldrshR,
            .ldrIW, .ldrbIW, .ldrhIW, .ldrRW, .ldrbRW, .ldrhRW, .ldrsbRW, .ldrshRW,
            .strI, .strbI, .strhI, .strR, .strbR, .strhR, .strIW, .strbIW, .strhIW, .strRW, .strbRW, .strhRW,
            .ldrd, .strd, .push, .pop, .ldm, .stm, .ldmW, .stmW, .ldmdbW, .stmdbW:
            Effect()
        default: Effect(reads: .all, isBarrier: true)
        }
    }

    /// The same operation without the flags; nil when it has no such form.
    var withoutFlags: OpKind? {
        switch self {
        case .movsI: .movI
        case .movsR: .movR
        case .mvnsR: .mvnR
        case .movIC: .movI
        case .addsI: .addI
        case .addsR: .addR
        case .subsI: .subI
        case .subsR: .subR
        case .rsbsI: .rsbI
        case .rsbsR: .rsbR
        case .adcsR: .adcR
        case .sbcsR: .sbcR
        case .mulsR: .mulR
        case .andsR: .andR
        case .orrsR: .orrR
        case .eorsR: .eorR
        case .bicsR: .bicR
        case .ornsR: .ornR
        case .lslsI: .lslI
        case .lsrsI: .lsrI
        case .asrsI: .asrI
        case .rorsI: .rorI
        case .rrxs: .rrx
        case .lslsR: .lslR
        case .lsrsR: .lsrR
        case .asrsR: .asrR
        case .rorsR: .rorR
        default: nil
        }
    }

    /// Whether execution goes on behind it only by a jump.
    var isConditionalJump: Bool {
        switch self {
        case .beq, .bne, .bcs, .bcc, .bmi, .bpl, .bvs, .bvc, .bhi, .bls, .bge, .blt, .bgt, .ble: true
        default: false
        }
    }

    /// The flags that a conditional jump reads.
    var conditionFlags: Flags {
        switch self {
        case .beq, .bne: .z
        case .bcs, .bcc: .c
        case .bmi, .bpl: .n
        case .bvs, .bvc: .v
        case .bhi, .bls: [.c, .z]
        case .bge, .blt: [.n, .v]
        case .bgt, .ble: [.n, .z, .v]
        default: .all
        }
    }
}
