/// The NVIC: up to 240 external interrupts.
final class InterruptController: InterruptLines {
    func setLine(_ irq: Int, _ isHigh: Bool) {}
    func pend(_ irq: Int) {}
}
