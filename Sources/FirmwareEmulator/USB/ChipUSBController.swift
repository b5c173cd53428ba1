/// A USB device controller as part of a chip: what the board around it does to it, whatever its registers are.
protocol ChipUSBController: USBDeviceController {
    /// Called after firmware changed something: what was refused may be taken now.
    var onActivity: () -> Void { get set }
    /// The RCC clock; without it the device is not on the bus.
    var isClocked: Bool { get set }
    /// A board's pull-up is switched on, where a pin controls one.
    var isBoardPullUpOn: Bool { get set }

    /// RCC or power-on reset.
    func reset()
}

extension FSDEV: ChipUSBController {}
