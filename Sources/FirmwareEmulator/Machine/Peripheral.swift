/// A block of registers on the bus of a ``Machine``.
///
/// It is called on the thread that runs the machine, in the middle of an instruction: ``VirtualClock/now`` is exact there.
public protocol Peripheral: AnyObject {
    /// For reports, as the reference manual spells it: `USB`, `GPIOA`.
    var name: String { get }
    /// First address. Registered by pages of 1 KiB: of two peripherals in one page both are asked by their ranges.
    var base: UInt32 { get }
    /// Bytes covered from `base`.
    var size: UInt32 { get }
    /// `offset` is counted from `base` and aligned to `width`. What is returned above the width is cut off.
    func read(_ offset: UInt32, width: AccessWidth) -> UInt32
    /// `value` has no bits above the width. A change of an interrupt line or of an event takes effect after this instruction.
    func write(_ offset: UInt32, width: AccessWidth, value: UInt32)
    /// Puts all registers to their reset values. Called for power-on and for every system reset.
    func reset()
    /// True when this write would leave everything as it is. Asked, before the write, only while an idle loop is looked
    /// for: a loop that does nothing but such writes can be skipped to the next event.
    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool
    /// True when reading changes nothing and gives the same value until an event, a write or outside input: such a poll
    /// may be skipped. False for data registers that pop and for counters that run.
    func isStable(_ offset: UInt32) -> Bool
    /// True for what a main loop uses like memory of its own, and ``loopState`` shows: it is compared when the loop has
    /// come round, whatever was done to it on the way.
    func isLoopPrivate(_ offset: UInt32) -> Bool
    /// True for a register that may be read for ever and be the same: not one that firmware waits for.
    func isReadFreely(_ offset: UInt32) -> Bool
    /// What ``isLoopPrivate(_:)`` stands for.
    var loopState: [UInt32] { get }
}

extension Peripheral {
    public func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool { false }
    public func isStable(_ offset: UInt32) -> Bool { true }
    public func isLoopPrivate(_ offset: UInt32) -> Bool { false }
    public func isReadFreely(_ offset: UInt32) -> Bool { false }
    public var loopState: [UInt32] { [] }
}
