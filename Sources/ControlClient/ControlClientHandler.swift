import ControlProtocol
import ControlSocket
import Foundation
import NIOCore

/// The client's half of the control protocol on one connection; confined to the connection's event loop.
final class ControlClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Seconds an engine has for its greeting.
    static let greetingSeconds = 5

    private let socket: String
    private let greeted: EventLoopPromise<Greeting>
    private let pushes: AsyncThrowingStream<Push, any Error>.Continuation
    private let decoder = JSONDecoder()
    private var greeting: Greeting?
    private var waiting: [UInt64: EventLoopPromise<Outcome>] = [:]
    private var nextID: UInt64 = 1
    private var timeout: Scheduled<Void>?
    /// Why the connection ended, once it has.
    private var end: ControlClientError?

    init(
        socket: String, greeted: EventLoopPromise<Greeting>, pushes: AsyncThrowingStream<Push, any Error>.Continuation
    ) {
        self.socket = socket
        self.greeted = greeted
        self.pushes = pushes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(Self.greetingSeconds))) {
            self.finish(.noGreeting(socket: self.socket, seconds: Self.greetingSeconds), context: context)
        }
    }

    /// Sends a command; `outcome` is completed by its response or by the end of the connection.
    func send(_ command: Command, actor: String, outcome: EventLoopPromise<Outcome>, channel: any Channel) {
        if let end { return outcome.fail(end) }
        let id = nextID
        nextID &+= 1
        do {
            var line = try ByteBuffer(bytes: JSONEncoder().encode(Request(id: id, actor: actor, command: command)))
            line.writeInteger(UInt8(ascii: "\n"))
            waiting[id] = outcome
            // A failed write ends the connection, and that fails the promise.
            channel.writeAndFlush(line, promise: nil)
        } catch {
            outcome.fail(error)
        }
    }

    /// Ends the connection from this side.
    func cancel(channel: any Channel) {
        settle(.cancelled(socket: socket))
        channel.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        let line = unwrapInboundIn(data)
        do {
            try take(decoder.decode(ServerLine.self, from: Data(line.readableBytesView)))
        } catch let error as ControlClientError {
            finish(error, context: context)
        } catch {
            finish(unintelligible(line), context: context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        settle(.closed(socket: socket))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is LineFrameDecoder.TooLong:
            let limit = ControlProtocol.maximumLineLength
            finish(.violation(socket: socket, detail: "a line of more than \(limit) bytes"), context: context)
        case let error as IOError where error.errnoCode == ECONNRESET || error.errnoCode == EPIPE:
            finish(.closed(socket: socket), context: context)
        default:
            finish(.system(socket: socket, message: String(describing: error)), context: context)
        }
    }

    private func take(_ line: ServerLine) throws(ControlClientError) {
        switch line {
        case .greeting(let greeting):
            guard self.greeting == nil else { throw .violation(socket: socket, detail: "a second greeting") }
            guard greeting.service == "2virt" else {
                throw .notAnEngine(socket: socket, found: "it calls itself \(Self.excerpt(greeting.service))")
            }
            guard greeting.version == ControlProtocol.version else {
                throw .version(socket: socket, engine: greeting.version, pid: greeting.pid)
            }
            self.greeting = greeting
            timeout?.cancel()
            greeted.succeed(greeting)
        case .response(let response):
            guard greeting != nil else { throw .notAnEngine(socket: socket, found: "no greeting comes first") }
            guard let outcome = waiting.removeValue(forKey: response.id) else {
                throw .violation(socket: socket, detail: "a response with id \(response.id), which nobody waits for")
            }
            outcome.succeed(response.outcome)
        case .push(let push):
            guard greeting != nil else { throw .notAnEngine(socket: socket, found: "no greeting comes first") }
            pushes.yield(push)
        }
    }

    private func unintelligible(_ line: ByteBuffer) -> ControlClientError {
        let excerpt = Self.excerpt(String(decoding: line.readableBytesView.prefix(64), as: UTF8.self))
        return greeting == nil
            ? .notAnEngine(socket: socket, found: "it says \(excerpt)")
            : .violation(socket: socket, detail: "it says \(excerpt)")
    }

    /// Foreign text, safe to print: short and without control characters.
    static func excerpt(_ text: String) -> String {
        let safe = text.unicodeScalars.prefix(64).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: "?"
            default: String(scalar)
            }
        }
        return "'" + safe.joined() + "'"
    }

    private func finish(_ error: ControlClientError, context: ChannelHandlerContext) {
        settle(error)
        context.close(promise: nil)
    }

    /// Tells everybody who waits how the connection ended; only the first reason counts.
    private func settle(_ error: ControlClientError) {
        guard end == nil else { return }
        end = error
        timeout?.cancel()
        // A second completion of a promise is ignored by the one who greeted in time.
        if greeting == nil { greeted.fail(error) }
        let outcomes = waiting.values
        waiting = [:]
        for outcome in outcomes { outcome.fail(error) }
        pushes.finish(throwing: error)
    }
}
