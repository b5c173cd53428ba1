/// Wires a chip's USB controller to its bus, its interrupts and the wake-up line.
final class USBWiring {
    let controller: any ChipUSBController
    private let lines: any InterruptLines
    private let map: InterruptMap
    private var numbers: (low: Int, high: Int, wakeUp: Int)
    private var shown = FSDEV.Lines()
    /// Called with the edges of the wake-up line, EXTI line 18.
    var onWakeUpEdge: (_ isRising: Bool) -> Void = { _ in }

    init(_ block: USBBlock, memory: MemoryMap, map: InterruptMap, lines: any InterruptLines) {
        self.lines = lines
        self.map = map
        numbers = (map.usbLow, map.usbHigh, map.usbWakeUp)
        switch block {
        case .fsdev(let variant):
            let fsdev = FSDEV(variant: variant)
            controller = fsdev
            memory.add(USBRegisters(fsdev))
            memory.add(USBPacketMemory(fsdev))
            fsdev.linesChanged = { [unowned self] in show($0) }
        case .otg:
            let otg = OTGController()
            controller = otg
            memory.add(OTGRegisters(otg))
            otg.linesChanged = { [unowned self] in
                show(FSDEV.Lines(low: $0.interrupt, high: $0.interrupt, wakeUp: $0.wakeUp))
            }
        }
    }

    /// F303's USB_IT_RMP moves the interrupts.
    func remap(_ isRemapped: Bool) {
        lines.setLine(numbers.low, false)
        lines.setLine(numbers.high, false)
        let plain = (map.usbLow, map.usbHigh, map.usbWakeUp)
        numbers = isRemapped ? map.remappedUSB ?? plain : plain
        show(shown)
    }

    private func show(_ new: FSDEV.Lines) {
        let before = shown
        shown = new
        if numbers.low != numbers.high { lines.setLine(numbers.high, new.high) }
        lines.setLine(numbers.low, new.low)
        if new.wakeUp != before.wakeUp { onWakeUpEdge(new.wakeUp) }
    }
}
