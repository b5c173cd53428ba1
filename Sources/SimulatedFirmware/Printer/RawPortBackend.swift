import NIOCore
import NIOPosix

/// A raw printing port (9100): a connection for each job, opened when the guest has the first bytes of it.
///
/// The guest waits while nobody answers. A connection that ends before its job loses the job, and the guest is told.
final class RawPortBackend: PrinterBackend {
    private static let retryDelay = TimeAmount.seconds(2)

    private enum State {
        case idle
        case connecting
        case connected(RawPortLink)
        /// Nobody answered; another try is due.
        case waiting
    }

    weak var sink: (any PrinterSink)?
    let text: String
    private let host: String
    private let port: Int
    private let eventLoop: any EventLoop
    private var state = State.idle
    private var isShutDown = false
    /// Jobs that are sent and of which the printer has not said that it has them.
    private var jobsUnderWay = 0
    private var drained: [() -> Void] = []

    init(host: String, port: Int, eventLoop: any EventLoop) {
        text = PrinterTarget.tcp(host: host, port: port).text
        self.host = host
        self.port = port
        self.eventLoop = eventLoop
    }

    func isReady() -> Bool {
        switch state {
        case .connected(let link): return link.isWritable
        case .idle where !isShutDown:
            connect()
            return false
        default: return false
        }
    }

    func write(_ bytes: [UInt8]) {
        guard case .connected(let link) = state else { return }
        link.write(ByteBuffer(bytes: bytes))
    }

    func endJob() {
        guard case .connected(let link) = state else { return }
        state = .idle
        // Closes behind what is written; the next job has a connection of its own.
        jobsUnderWay += 1
        link.finish { [weak self] isWhole in
            guard let self else { return }
            if isWhole { sink?.jobDone(text) } else { sink?.troubleChanged("\(text): a job did not arrive whole") }
            jobsUnderWay -= 1
            tellDrained()
        }
    }

    func shutdown() {
        endJob()
        isShutDown = true
    }

    func whenDrained(_ body: @escaping () -> Void) {
        drained.append(body)
        tellDrained()
    }

    private func tellDrained() {
        guard jobsUnderWay == 0 else { return }
        let bodies = drained
        drained = []
        for body in bodies { body() }
    }

    private func connect() {
        state = .connecting
        let link = RawPortLink(
            RawPortLink.Events(
                received: { [weak self] in self?.sink?.received($0) },
                writable: { [weak self] in self?.sink?.becameReady() },
                inactive: { [weak self] link, error in self?.lost(link, error) }))
        let bound = NIOLoopBound(link, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connectTimeout(.seconds(10))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(host: host, port: port)
            .map { _ in }
            .assumeIsolated()
            .whenComplete { self.connected(link, $0) }
    }

    private func connected(_ link: RawPortLink, _ result: Result<Void, any Error>) {
        if isShutDown {
            link.close()
            return
        }
        switch result {
        case .success:
            state = .connected(link)
            sink?.troubleChanged(nil)
            sink?.becameReady()
        case .failure(let error):
            state = .waiting
            sink?.troubleChanged("\(text): \(error)")
            eventLoop.assumeIsolated().scheduleTask(in: Self.retryDelay) { [weak self] in
                self?.state = .idle
                self?.sink?.becameReady()
            }
        }
    }

    private func lost(_ link: RawPortLink, _ error: (any Error)?) {
        guard case .connected(let current) = state, current === link else { return }
        state = .idle
        sink?.jobLost("\(text): the connection ended before the job" + (error.map { ": \($0)" } ?? ""))
    }
}
