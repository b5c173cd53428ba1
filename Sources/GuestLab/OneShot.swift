import Synchronization

/// A result that arrives once, from any thread, and is awaited once; later results are dropped.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, any Error>)
        case ready(Result<Value, any Error>)
        case done
    }

    private let state = Mutex(State.empty)

    func succeed(_ value: Value) { settle(.success(value)) }

    func fail(_ error: any Error) { settle(.failure(error)) }

    private func settle(_ result: Result<Value, any Error>) {
        let continuation: CheckedContinuation<Value, any Error>? = state.withLock { state in
            switch state {
            case .empty:
                state = .ready(result)
                return nil
            case .waiting(let continuation):
                state = .done
                return continuation
            case .ready, .done:
                return nil
            }
        }
        continuation?.resume(with: result)
    }

    /// The result; throws `CancellationError` when the waiting task is cancelled first.
    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let early: Result<Value, any Error>? = state.withLock { state in
                    switch state {
                    case .empty:
                        state = .waiting(continuation)
                        return nil
                    case .ready(let result):
                        state = .done
                        return result
                    case .waiting, .done:
                        return .failure(LabError.configuration("a one-shot result was awaited twice"))
                    }
                }
                if let early { continuation.resume(with: early) }
            }
        } onCancel: {
            fail(CancellationError())
        }
    }

    /// The result, or the error `late` makes once `limit` has passed without one.
    func value(within limit: Duration, orThrow late: @escaping @Sendable () -> any Error) async throws -> Value {
        let clock = Task { [self] in
            try await Task.sleep(for: limit)
            fail(late())
        }
        defer { clock.cancel() }
        return try await value()
    }
}
