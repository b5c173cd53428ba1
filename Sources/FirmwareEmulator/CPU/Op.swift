/// One predecoded instruction: what the executor does, with its operands. There is one for each halfword of code, so
/// that the address of the next one is known without looking.
struct Op {
    var kind: OpKind
    var a: UInt8
    var b: UInt8
    var c: UInt8
    var imm: UInt32

    init(_ kind: OpKind, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, imm: UInt32 = 0) {
        self.kind = kind
        self.a = UInt8(truncatingIfNeeded: a)
        self.b = UInt8(truncatingIfNeeded: b)
        self.c = UInt8(truncatingIfNeeded: c)
        self.imm = imm
    }
}
