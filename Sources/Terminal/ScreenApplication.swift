import Console

/// What a screen shows and whom it tells; called on the screen actor only.
@ScreenActor
public protocol ScreenApplication: AnyObject {
    /// Whether `draw` would give another picture than the last time.
    var isDirty: Bool { get }
    /// When the clock must be told next, in seconds of the monotonic clock; nil for never.
    var nextTick: Double? { get }
    func take(_ key: Key)
    func resized(columns: Int, rows: Int)
    func tick()
    func draw() -> Canvas
}
