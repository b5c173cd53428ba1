/// What the executor does for an ``Op``. Zeroed memory is `undecoded`.
///
/// Operands: `a` destination, `b` first source or base, `c` second source, `imm` immediate, offset or displacement.
/// `I` immediate, `R` register, `s` sets flags, `W` a 32-bit instruction in one operation. A 32-bit instruction without a
/// kind of its own fills its two places with two operations; register 16 carries what passes between them.
enum OpKind: UInt8 {
    case undecoded = 0
    /// Ends ``Machine/execute()`` here: single step.
    case halt
    case undefined
    case nop
    /// The second place of a 32-bit instruction whose first place did everything.
    case tail
    /// r[a] += imm, the write-back of an addressing mode: second place only.
    case tailAdd
    /// SP := SP & ~3: second place only.
    case tailAlignSP

    // Moves
    case movI, movsI, movR, movsR, movSP, mvnR, mvnsR, movIW, movtW
    /// r[a] = imm, carry = bit 31 of imm: a rotated immediate of a logical operation.
    case movIC

    // Arithmetic
    case addI, addsI, addR, addsR, addSP, subI, subsI, subR, subsR, rsbI, rsbsI, rsbR, rsbsR
    case adcR, adcsR, sbcR, sbcsR
    case addIW, subIW, rsbIW, addLslW, subLslW, rsbLslW
    case cmpI, cmpR, cmpIW, cmnR, tstR, teqR
    case mulR, mulsR, mlaW, mlsW, umullW, smullW, umlalW, smlalW, udivW, sdivW

    // Logic
    case andR, andsR, orrR, orrsR, eorR, eorsR, bicR, bicsR, ornR, ornsR
    case andIW, orrIW, eorIW, andLslW, andLsrW, orrLslW, orrLsrW, eorLslW, eorLsrW

    // Shifts: by imm (0…31; 32 too for lsr and asr), by register
    case lslI, lslsI, lsrI, lsrsI, asrI, asrsI, rorI, rorsI, rrx, rrxs
    case lslR, lslsR, lsrR, lsrsR, asrR, asrsR, rorR, rorsR

    // Bits
    case sxtb, sxth, uxtb, uxth, rev, rev16, revsh, rbitW, clzW, ubfxW, sbfxW, bfiW

    // Memory: [b + imm], [b + c], [b + c << imm]
    case ldrI, ldrbI, ldrhI, ldrsbI, ldrshI, ldrR, ldrbR, ldrhR, ldrsbR, ldrshR
    case ldrIW, ldrbIW, ldrhIW, ldrRW, ldrbRW, ldrhRW, ldrsbRW, ldrshRW
    case strI, strbI, strhI, strR, strbR, strhR
    case strIW, strbIW, strhIW, strRW, strbRW, strhRW
    case ldrd, strd
    /// imm: register list; a: 1 for write-back.
    case push, pop, popPC, ldm, stm, ldmW, stmW, ldmdbW, stmdbW
    /// A load into the program counter: [b + imm] with `c` 1 for write-back before and 2 after; [b + c << imm].
    case ldrPCW, ldrPCRW

    // Jumps: imm is the distance in the table of operations, in bytes
    case b, beq, bne, bcs, bcc, bmi, bpl, bvs, bvc, bhi, bls, bge, blt, bgt, ble
    case bW, blW, cbz, cbnz
    /// To an address outside this region: imm is the address.
    case bFar, blFar
    case bx, blx, movPC, addPC, tbbW, tbhW

    // Compare and jump, with flags, and without where nobody reads them: a, b or c as immediate
    case cmpIbeq, cmpIbne, cmpIbcs, cmpIbcc, cmpIbhi, cmpIbls, cmpIbge, cmpIblt, cmpIbgt, cmpIble
    case cmpIbeqN, cmpIbneN, cmpIbcsN, cmpIbccN, cmpIbhiN, cmpIblsN, cmpIbgeN, cmpIbltN, cmpIbgtN, cmpIbleN
    case cmpRbeq, cmpRbne, cmpRbcs, cmpRbcc, cmpRbhi, cmpRbls, cmpRbge, cmpRblt, cmpRbgt, cmpRble
    case cmpRbeqN, cmpRbneN, cmpRbcsN, cmpRbccN, cmpRbhiN, cmpRblsN, cmpRbgeN, cmpRbltN, cmpRbgtN, cmpRbleN

    // Two instructions that often follow each other: the first one's operands here, the second one's in the next place
    case addICmpRbneN, addICmpRbne, addICmpIbneN, subICmpIbneN, ldrICmpRbccN
    case ldrICmpRbhiN, ldrICmpIbeqN, ldrICmpIbneN, ldrICmpIbeq, ldrICmpIbne, movRMovR
    case movRAddR, lslILdrR, lslIAddR, addRLdrI, movRLdrI, ldrIAddI, ldrILdrI, strIStrI, strIAddI, addILdrI
    case ldrRStrR, lsrIEorR, eorRAndR, andRLslI, movIMovI, subsIBne, tstRBeq
    case tstRBne, lslsIBpl

    // Conditional execution: a is the condition, c the block's length in halfwords
    /// All instructions have the same condition: go in, or past the block.
    case itSkip
    /// Then and else: imm is the place in the machine's list of blocks.
    case itMixed
    /// Instructions inside set flags: one by one.
    case itSlow

    // System
    case svc, bkpt, cps, wfi, wfe, sev
    /// A 32-bit instruction that is decoded when it is executed: imm is the encoding.
    case rareW
}
