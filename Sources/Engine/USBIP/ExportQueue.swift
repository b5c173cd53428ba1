import USBIP

/// What the exporter knows of a device.
struct ExportOffer: Equatable {
    var busID: String
    /// Of which plug its signals are to speak.
    var generation: Int
    var isOffered: Bool
}

/// Changes for the exporter, carried out one after the other: what is withdrawn and then offered again must not end up
/// withdrawn.
struct ExportQueue: Sendable {
    enum Change: Sendable {
        case offer(DeviceHost, number: UInt16, allow: [CIDR], generation: Int)
        case withdraw(busID: String)
        /// Tells that everything before has been done.
        case reached(CheckedContinuation<Void, Never>)
    }

    let stream: AsyncStream<Change>
    private let input: AsyncStream<Change>.Continuation

    init() {
        (stream, input) = AsyncStream.makeStream(of: Change.self)
    }

    func add(_ change: Change) {
        if case .terminated = input.yield(change), case .reached(let continuation) = change { continuation.resume() }
    }

    func finish() { input.finish() }
}
