/// What a chip has from its board and its machine, and what it tells them.
final class ChipContext {
    let board: Board
    let machine: Machine
    let identity: UInt64
    let pins = PinBank()
    /// Called with a serial port's name and a byte that firmware sent.
    var onSerial: (String, UInt8) -> Void = { _, _ in }
    /// Called after firmware has changed its flash, with offset and length.
    var onFlashChange: (UInt32, UInt32) -> Void = { _, _ in }
    /// Nobody uses the device now: what only keeps it busy may go slower.
    var isUnwatched = false
    /// Random numbers that converters read as noise; seeded from the identity, so that a run can be repeated.
    private var noise: UInt64

    /// - Parameter identity: makes the chip's unique id.
    init(board: Board, machine: Machine, identity: UInt64) {
        self.board = board
        self.machine = machine
        self.identity = identity
        noise = identity ^ 0x9E37_79B9_7F4A_7C15
    }

    /// 12-bit noise around the middle: an open input. Firmware takes entropy from the low bits.
    func sample() -> UInt16 { 2048 + UInt16(truncatingIfNeeded: randomWord()) % 64 - 32 }

    func randomWord() -> UInt32 {
        noise ^= noise << 13
        noise ^= noise >> 7
        noise ^= noise << 17
        return UInt32(truncatingIfNeeded: noise >> 20)
    }
}
