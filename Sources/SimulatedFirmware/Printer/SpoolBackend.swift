import Glibc
import NIOCore
import NIOPosix

/// A folder in which each job becomes a file, whole or not at all.
///
/// Files are written by a thread of their own. What cannot be written is tried again until it can, while the guest waits:
/// no byte that was taken is lost as long as the engine lives.
final class SpoolBackend: PrinterBackend {
    /// Bytes taken and not written yet above which the guest waits.
    static let limit = 1 << 20
    private static let retryDelay = TimeAmount.seconds(1)

    /// What the thread does, in order.
    private enum Step: Sendable {
        case write([UInt8])
        case finish
    }

    /// Touched by the pool's one thread alone.
    private struct Files: @unchecked Sendable {
        let file: SpoolFile
    }

    weak var sink: (any PrinterSink)?
    let text: String
    private let files: Files
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let eventLoop: any EventLoop
    private var steps: CircularBuffer<Step> = []
    private var waitingBytes = 0
    private var isWorking = false
    private var isShutDown = false
    private var hasTrouble = false
    private var drained: [() -> Void] = []
    private var isEnded = false

    /// - Throws: `CatalogueError.badPrinterTarget` when the folder cannot be written to.
    init(folder: String, name: String, eventLoop: any EventLoop) throws(CatalogueError) {
        text = PrinterTarget.spool(folder: folder).text
        var status = stat()
        guard stat(folder, &status) == 0 else { throw .badPrinterTarget(text, reason: SocketFile.reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .badPrinterTarget(text, reason: "it is not a folder")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw .badPrinterTarget(text, reason: SocketFile.reason(errno))
        }
        files = Files(file: SpoolFile(folder: folder, prefix: name))
        self.eventLoop = eventLoop
        pool.start()
    }

    func isReady() -> Bool { !isShutDown && waitingBytes < Self.limit }

    func write(_ bytes: [UInt8]) {
        waitingBytes += bytes.count
        steps.append(.write(bytes))
        work()
    }

    func endJob() {
        steps.append(.finish)
        work()
    }

    func shutdown() {
        guard !isShutDown else { return }
        isShutDown = true
        endJob()
    }

    func whenDrained(_ body: @escaping () -> Void) {
        if isEnded { body() } else { drained.append(body) }
    }

    private func end() {
        pool.shutdownGracefully { _ in }
        isEnded = true
        let bodies = drained
        drained = []
        for body in bodies { body() }
    }

    private func work() {
        guard !isWorking else { return }
        guard let step = steps.first else {
            if isShutDown { end() }
            return
        }
        isWorking = true
        let files = files
        pool.runIfActive(eventLoop: eventLoop) { () throws -> String? in
            switch step {
            case .write(let bytes):
                try files.file.write(bytes)
                return nil
            case .finish:
                return try files.file.finish()
            }
        }.assumeIsolated().whenComplete { self.worked($0) }
    }

    private func worked(_ result: Result<String?, any Error>) {
        isWorking = false
        switch result {
        case .success(let path):
            if case .write(let bytes)? = steps.popFirst() { waitingBytes -= bytes.count }
            if hasTrouble {
                hasTrouble = false
                sink?.troubleChanged(nil)
            }
            if let path { sink?.jobDone(path) }
            if isReady() { sink?.becameReady() }
            work()
        case .failure(let error):
            hasTrouble = true
            sink?.troubleChanged("\(error)")
            // A folder that is full when the engine ends keeps the job under its hidden name.
            if isShutDown {
                end()
                return
            }
            isWorking = true
            eventLoop.assumeIsolated().scheduleTask(in: Self.retryDelay) {
                self.isWorking = false
                self.work()
            }
        }
    }
}
