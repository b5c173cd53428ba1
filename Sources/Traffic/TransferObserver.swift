import USBCore

/// Hears of every transfer as it passes, whole: what a capture file is written from.
///
/// Called on the device's event loop; keep it short.
public protocol TransferObserver: AnyObject {
    /// - Parameter time: monotonic nanoseconds on the recorder's clock.
    func submitted(_ transfer: Transfer, type: TransferType, at time: UInt64)
    /// - Parameter time: monotonic nanoseconds on the recorder's clock.
    func completed(_ completion: TransferCompletion, type: TransferType, at time: UInt64)
}
