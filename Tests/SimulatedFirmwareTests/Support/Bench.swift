import Logging
import NIOCore
import NIOHTTP2
import NIOPosix
import Synchronization
import Testing
import USBCore
import USBDevice

@testable import SimulatedFirmware

/// A real simulated device with one function under test, a guest's end of its port, and a loop to run both on.
final class Bench: Sendable {
    /// What lives on the loop.
    final class State {
        let guest: Guest
        let function: any Function
        var client: BulkChannel?
        var pipe: GuestPipe?
        var multiplexer: NIOHTTP2Handler.StreamMultiplexer?

        init(guest: Guest, function: any Function) {
            self.guest = guest
            self.function = function
        }
    }

    let group: MultiThreadedEventLoopGroup
    let loop: any EventLoop
    let changes: AsyncStream<DeviceChange>
    private let state: NIOLoopBound<State>

    init(speed: Speed = .high, _ make: @escaping @Sendable (any EventLoop) throws -> any Function) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let (changes, feed) = AsyncStream.makeStream(of: DeviceChange.self)
        state = try await loop.submit {
            let function = try make(loop)
            let guest = try Guest(function: function, speed: speed, feed: feed, loop: loop)
            return NIOLoopBound(State(guest: guest, function: function), eventLoop: loop)
        }.get()
        self.group = group
        self.loop = loop
        self.changes = changes
    }

    /// Runs `body` on the loop.
    @discardableResult
    func run<Value: Sendable>(_ body: @escaping @Sendable (State) throws -> Value) async throws -> Value {
        let state = state
        return try await loop.submit { try body(state.value) }.get()
    }

    /// Reads changes until one fits; fails after thirty seconds without.
    func change(_ what: String, where fits: @escaping @Sendable (DeviceChange) -> Bool) async throws {
        let changes = changes
        let found = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await change in changes where fits(change) { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(30))
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        try #require(found, "no change '\(what)' came")
    }

    /// Waits until `fits` holds on the loop; there is no event for some conditions (bytes of a kernel buffer).
    func until(_ what: String, seconds: Double = 40, _ fits: @escaping @Sendable (State) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await !run(fits) {
            try #require(ContinuousClock.now < deadline, "never: \(what)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// As an engine ends a device: the loop lives until nothing of the guest is on the way.
    func end() async throws {
        let (loop, state) = (loop, state)
        try await loop.flatSubmit { () -> EventLoopFuture<Void> in
            let state = state.value
            state.client?.close(promise: nil)
            state.guest.port.disconnect()
            state.function.shutdown()
            let promise = loop.makePromise(of: Void.self)
            state.function.whenDrained { promise.succeed(()) }
            return promise.futureResult
        }.get()
        try await group.shutdownGracefully()
    }
}

extension Logger {
    static let test = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
