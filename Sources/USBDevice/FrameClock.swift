/// Time as a bus counts it, in microframes of 125 µs, and a way to be called at one; whoever owns a device supplies it.
///
/// Confined to the device's event loop, where `body` is called too.
public protocol FrameClock: AnyObject {
    /// Microframes that have elapsed since a moment of the clock's choice; never goes back.
    var microframe: Int { get }
    /// Calls `body` once when `microframe` microframes have elapsed: late when the loop is, never early.
    func schedule(at microframe: Int, _ body: @escaping () -> Void) -> FrameTimer
}

/// A call that a `FrameClock` is to make.
public struct FrameTimer {
    private let onCancel: () -> Void

    /// - Parameter onCancel: takes the call back; harmless once it was made.
    public init(onCancel: @escaping () -> Void) {
        self.onCancel = onCancel
    }

    public func cancel() { onCancel() }
}
