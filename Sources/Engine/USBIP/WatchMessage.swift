/// The watch channel: how a guest learns what to attach. One JSON object a line over a connection of the exporter, each
/// at most `maximumLineLength` bytes; the guest speaks first.
enum WatchProtocol {
    static let version = 1
    static let maximumLineLength = 4096
    /// Bytes of a guest's name.
    static let maximumNameLength = 64
}

/// A line of a guest.
enum WatchReport: Codable, Sendable, Equatable {
    case watch(version: Int, guest: String)
    case attached(busid: String, port: Int)
    case failed(busid: String, reason: String)
    case detached(busid: String)
    case pong
}

/// A line of ours.
enum WatchOrder: Codable, Sendable, Equatable {
    case hello(version: Int, guest: String)
    /// The last line before the connection ends.
    case refused(reason: String)
    case attach(busid: String, name: String, speed: String)
    case detach(busid: String)
    case ping
}

/// How patient a watch channel is.
struct WatchTiming: Sendable {
    /// For the first line.
    var hello = 10.0
    var ping = 10.0
    /// After which a guest that says nothing is gone.
    var silence = 30.0
}
