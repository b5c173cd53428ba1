/// What a peripheral sees of the interrupt controller. External interrupt 0 is exception 16.
public protocol InterruptLines: AnyObject {
    /// A level-sensitive line: pending as long as it is high and its handler has returned.
    func setLine(_ irq: Int, _ isHigh: Bool)
    /// Makes an interrupt pending once, like a pulse.
    func pend(_ irq: Int)
}
