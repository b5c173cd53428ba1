/// How many IN transfers to keep in flight, and of what size.
///
/// A stream's IN transfers are mostly short. After a short one an xHCI goes on with the next transfer; the older
/// controllers stop inside the transfer and their driver unlinks what follows. QEMU has by then asked a usbredir device
/// for the following transfers too, cancels them, and drops data that they already brought.
struct InTransferPlan: Equatable {
    var count: Int
    var size: Int

    init(controller: String?, preferredSize: Int) {
        let isStreaming = controller.map { $0.hasPrefix("xhci") || $0.hasPrefix("vhci") } ?? false
        count = isStreaming ? 4 : 1
        size = preferredSize
    }
}
