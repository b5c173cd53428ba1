import Glibc
import NIOCore
import NIOPosix

/// One use of a store.
enum StorageJob: Sendable, Equatable {
    case read(offset: UInt64, length: Int)
    case write(offset: UInt64, bytes: [UInt8], isDurable: Bool)
    case flush
    case verify(offset: UInt64, length: UInt64)
    case compare(offset: UInt64, bytes: [UInt8])
}

/// How a use of a store ended.
enum StorageResult: Sendable, Equatable {
    case done
    case data([UInt8])
    case different
    case failed(StorageFailure)
}

/// A store with a thread of its own, so that a slow disk holds up neither an event loop nor another disk.
///
/// Jobs are carried out one after the other; the store is touched by its thread alone.
final class StorageDisk: @unchecked Sendable {
    private static let pieceLength = 1 << 18
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let eventLoop: any EventLoop
    private var store: (any BlockStore)?

    init(_ store: any BlockStore, eventLoop: any EventLoop) {
        self.store = store
        self.eventLoop = eventLoop
        pool.start()
    }

    /// Carries out `job`, then calls `completed` on the event loop.
    func run(_ job: StorageJob, _ completed: @escaping (StorageResult) -> Void) {
        let completed = NIOLoopBound(completed, eventLoop: eventLoop)
        pool.runIfActive(eventLoop: eventLoop) { self.perform(job) }
            .whenComplete { result in
                switch result {
                case .success(let result): completed.value(result)
                // The pool ends after `close` alone, behind which nobody asks for anything.
                case .failure: completed.value(.failed(StorageFailure(operation: .read, path: "", code: ESHUTDOWN)))
                }
            }
    }

    /// Flushes and closes the store behind the job in hand, then ends the thread. `isIdle`: there is no job in hand, and
    /// the image can be used by others at once.
    func close(isIdle: Bool) {
        if isIdle { store?.unlock() }
        pool.submit { _ in
            // A failure has been told when the guest asked to flush; who did not ask was not promised anything.
            try? self.store?.flush()
            self.store = nil
            self.pool.shutdownGracefully { _ in }
        }
    }

    private func perform(_ job: StorageJob) -> StorageResult {
        guard let store else { return .failed(StorageFailure(operation: .read, path: "", code: ESHUTDOWN)) }
        do throws(StorageFailure) {
            switch job {
            case .read(let offset, let length):
                return .data(try Self.read(store, offset, length))
            case .write(let offset, let bytes, let isDurable):
                var failure: StorageFailure?
                bytes.withUnsafeBytes { buffer in
                    do throws(StorageFailure) { try store.write(buffer, at: offset) } catch { failure = error }
                }
                if let failure { throw failure }
                if isDurable { try store.flush() }
            case .flush:
                try store.flush()
            case .verify(var offset, var length):
                while length > 0 {
                    let piece = Int(min(length, UInt64(Self.pieceLength)))
                    _ = try Self.read(store, offset, piece)
                    offset += UInt64(piece)
                    length -= UInt64(piece)
                }
            case .compare(let offset, let bytes):
                if try Self.read(store, offset, bytes.count) != bytes { return .different }
            }
            return .done
        } catch {
            return .failed(error)
        }
    }

    private static func read(
        _ store: any BlockStore, _ offset: UInt64, _ length: Int
    ) throws(StorageFailure) -> [UInt8] {
        var failure: StorageFailure?
        let bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            let memory = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: length)
            do throws(StorageFailure) {
                try store.read(at: offset, into: memory)
                count = length
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
