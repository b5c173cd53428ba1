import NIOCore
import NIOHTTP1
import USBDevice

/// One of a printer's USB interfaces: a pair of endpoints that carry HTTP/1.1, for one request at a time.
final class IPPConnection {
    /// Under which the proxy knows the printer.
    static let service = "printer"

    private enum State {
        case none
        case open(BulkChannel)
        /// Where the guest's next request begins is unknown until it clears the halt.
        case halted
    }

    let input: EndpointKey
    let output: EndpointKey
    private let proxy: UpstreamProxy
    private let target: IPPPrinterTarget
    private let note: (String) -> Void
    private var state = State.none

    /// - Parameter number: tells the endpoints of the connections apart.
    init(number: Int, proxy: UpstreamProxy, target: IPPPrinterTarget, note: @escaping (String) -> Void) {
        input = EndpointKey("in\(number)")
        output = EndpointKey("out\(number)")
        self.proxy = proxy
        self.target = target
        self.note = note
    }

    func endpointReady(_ endpoint: EndpointKey, _ context: any FunctionContext) {
        switch state {
        case .open(let channel):
            endpoint == output ? channel.inputReady() : channel.outputReady()
        case .none, .halted:
            // A halted endpoint is ready again when the guest has cleared it.
            guard endpoint == output else { return }
            start(context)
        }
    }

    /// Forgets the request under way, if any.
    func end() {
        if case .open(let channel) = state {
            state = .none
            channel.close(promise: nil)
        }
        state = .none
    }

    private func start(_ context: any FunctionContext) {
        guard context.isActive else { return }
        let channel = BulkChannel(usb: context, input: output, output: input, eventLoop: proxy.eventLoop)
        let session = HTTP1Session(proxy: proxy, target: target, note: note) { [weak self, weak channel] end in
            self?.ended(end, channel, context)
        }
        var encoding = HTTPResponseEncoder.Configuration()
        // The session knows what it answers, and to which method.
        encoding.automaticallySetFramingHeaders = false
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPResponseEncoder(configuration: encoding))
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
            try pipeline.addHandler(session)
        } catch {
            note("\(error)")
            return
        }
        state = .open(channel)
        channel.activate()
        channel.inputReady()
    }

    private func ended(_ how: HTTP1Session.End, _ channel: BulkChannel?, _ context: any FunctionContext) {
        guard case .open(let current) = state, current === channel else { return }
        end()
        switch how {
        case .lastRequest:
            break
        case .unreadable(let reason):
            note("\(reason); the guest has to clear the halt")
            state = .halted
            context.halt(output)
            return
        case .broken(let isInStep):
            note("an answer of the printer broke off; the guest is told by a halt")
            context.halt(input)
            if !isInStep {
                state = .halted
                context.halt(output)
                return
            }
        }
        // What the guest has sent meanwhile is a new session's.
        start(context)
    }
}
