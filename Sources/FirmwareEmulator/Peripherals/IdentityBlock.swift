/// DBGMCU: IDCODE, and control bits that are kept.
final class IdentityBlock: RegisterBlock {
    private let code: UInt32

    init(base: UInt32, code: UInt32) {
        self.code = code
        super.init("DBGMCU", base: base)
    }

    override func load(_ offset: UInt32) -> UInt32 { offset == 0 ? code : self[offset] }
    override func store(_ offset: UInt32, _ value: UInt32, mask: UInt32) {
        if offset != 0 { keep(offset, value, mask: mask) }
    }
}
