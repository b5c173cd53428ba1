import Foundation
import NIOCore

/// The protocol state of one QMP connection; lives on its channel's event loop.
final class QMPChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private struct Pending {
        let command: String
        let promise: EventLoopPromise<JSONValue>
        let deadline: Scheduled<Void>
    }

    private struct Waiter<Value: Sendable> {
        let accepts: (Value) -> Bool
        let promise: EventLoopPromise<Value>
        let deadline: Scheduled<Void>
    }

    private let socket: String
    private let limits: QMPLimits
    private let events: AsyncStream<QMPEvent>.Continuation
    private let channel: any Channel
    private var greeting: QMPGreeting?
    private var failure: QMPError?
    private var nextID: Int64 = 1
    private var pending: [Int64: Pending] = [:]
    /// Commands whose caller gave up: their answers may still come and must not look like garbage.
    private var abandoned: Set<Int64> = []
    private var greetingWaiters: [Int64: Waiter<QMPGreeting>] = [:]
    private var eventWaiters: [Int64: Waiter<QMPEvent>] = [:]

    init(socket: String, limits: QMPLimits, events: AsyncStream<QMPEvent>.Continuation, channel: any Channel) {
        self.socket = socket
        self.limits = limits
        self.events = events
        self.channel = channel
    }

    // MARK: From the caller, on the event loop

    func execute(
        _ command: String, _ arguments: JSONValue?, timeout: TimeAmount, promise: EventLoopPromise<JSONValue>
    ) {
        if let failure { return promise.fail(failure) }
        guard pending.count + abandoned.count < limits.outstandingCommands else {
            return promise.fail(QMPError.tooManyOutstanding(socket: socket, limit: limits.outstandingCommands))
        }
        let id = takeID()
        var message: [String: JSONValue] = ["execute": .string(command), "id": .int(id)]
        message["arguments"] = arguments
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let line: Data
        do {
            line = try encoder.encode(JSONValue.object(message))
        } catch {
            return promise.fail(QMPError.malformed(socket: socket, detail: "cannot encode \(command): \(error)"))
        }
        let deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            guard let late = self.pending.removeValue(forKey: id) else { return }
            self.abandoned.insert(id)
            late.promise.fail(QMPError.timeout(socket: self.socket, command: command, seconds: timeout.seconds))
        }
        pending[id] = Pending(command: command, promise: promise, deadline: deadline)
        var buffer = channel.allocator.buffer(capacity: line.count + 1)
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        channel.writeAndFlush(buffer, promise: nil)
    }

    func waitForGreeting(timeout: TimeAmount, promise: EventLoopPromise<QMPGreeting>) {
        if let failure { return promise.fail(failure) }
        if let greeting { return promise.succeed(greeting) }
        let id = takeID()
        let deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            let late = self.greetingWaiters.removeValue(forKey: id)
            late?.promise.fail(QMPError.noGreeting(socket: self.socket, seconds: timeout.seconds))
        }
        greetingWaiters[id] = Waiter(accepts: { _ in true }, promise: promise, deadline: deadline)
    }

    func waitForEvent(
        _ what: String, timeout: TimeAmount, promise: EventLoopPromise<QMPEvent>, accepts: @escaping (QMPEvent) -> Bool
    ) {
        if let failure { return promise.fail(failure) }
        let id = takeID()
        let deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            let late = self.eventWaiters.removeValue(forKey: id)
            late?.promise.fail(QMPError.timeout(socket: self.socket, command: what, seconds: timeout.seconds))
        }
        eventWaiters[id] = Waiter(accepts: accepts, promise: promise, deadline: deadline)
    }

    private func takeID() -> Int64 {
        defer { nextID += 1 }
        return nextID
    }

    // MARK: From QEMU

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard failure == nil else { return }
        let line = unwrapInboundIn(data)
        // QEMU ends lines with CR LF; a blank line carries nothing.
        guard !line.readableBytesView.allSatisfy({ $0 == 0x20 || $0 == 0x0d }) else { return }
        do {
            receive(try QMPMessage(line: line))
        } catch {
            fail(.malformed(socket: socket, detail: error.detail))
        }
    }

    private func receive(_ message: QMPMessage) {
        switch message {
        case .greeting(let greeting):
            self.greeting = greeting
            let waiters = greetingWaiters.values
            greetingWaiters = [:]
            for waiter in waiters {
                waiter.deadline.cancel()
                waiter.promise.succeed(greeting)
            }
        case .event(let event):
            events.yield(event)
            for (id, waiter) in eventWaiters where waiter.accepts(event) {
                eventWaiters[id] = nil
                waiter.deadline.cancel()
                waiter.promise.succeed(event)
            }
        case .reply(let id, let value):
            finish(id) { $0.promise.succeed(value) }
        case .failure(let id, let errorClass, let text):
            let socket = socket
            finish(id) {
                $0.promise.fail(
                    QMPError.refused(socket: socket, command: $0.command, errorClass: errorClass, text: text))
            }
        }
    }

    private func finish(_ id: Int64, _ body: (Pending) -> Void) {
        if let command = pending.removeValue(forKey: id) {
            command.deadline.cancel()
            body(command)
        } else if abandoned.remove(id) == nil {
            fail(.malformed(socket: socket, detail: "an answer has id \(id), which was never asked"))
        }
    }

    // MARK: The end

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is QMPLineDecoder.LineTooLong {
            fail(.lineTooLong(socket: socket, limit: limits.lineLength))
        } else {
            // QEMU that is killed with something of ours unread resets the connection, which is an end like any other.
            fail(.closed(socket: socket, during: nil))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed(socket: socket, during: nil))
    }

    /// Ends the connection once: everybody who waits learns why.
    func fail(_ error: QMPError) {
        guard failure == nil else { return }
        failure = error
        for command in pending.values {
            command.deadline.cancel()
            var reason = error
            if case .closed = error { reason = .closed(socket: socket, during: command.command) }
            command.promise.fail(reason)
        }
        for waiter in greetingWaiters.values {
            waiter.deadline.cancel()
            waiter.promise.fail(error)
        }
        for waiter in eventWaiters.values {
            waiter.deadline.cancel()
            waiter.promise.fail(error)
        }
        pending = [:]
        greetingWaiters = [:]
        eventWaiters = [:]
        events.finish()
        channel.close(promise: nil)
    }

    /// Why the connection ended; nil while it lives.
    var endReason: QMPError? { failure }
}

extension TimeAmount {
    var seconds: Double { Double(nanoseconds) / 1_000_000_000 }
}
