/// The event loop that a device's port lives on, as this target sees it: it runs work later, in order.
public protocol LoopExecutor: Sendable {
    /// May be called on any thread.
    func execute(_ work: @escaping @Sendable () -> Void)
}
