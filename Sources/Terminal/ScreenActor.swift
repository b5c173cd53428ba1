/// Isolation of everything that touches the terminal: ncurses has one owner, the main thread.
@globalActor
public actor ScreenActor {
    public static let shared = ScreenActor()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { ScreenExecutor.shared.asUnownedSerialExecutor() }

    /// Runs `body` on the main thread as this actor, from the synchronous main.
    public nonisolated static func run<Result: Sendable>(_ body: @ScreenActor () -> Result) -> Result {
        ScreenExecutor.shared.checkIsolated()
        // The idiom of MainActor.assumeIsolated: the closure is called here and now, on the right thread, so that its
        // isolation can be taken off its type.
        return withoutActuallyEscaping(body) { body in
            unsafeBitCast(body, to: (() -> Result).self)()
        }
    }
}
