import NIOCore

/// The last handler of a lab connection: hands decoded messages and broken framing on.
///
/// A closed or reset connection needs no word from here: QEMU has ended, and the guest's cleanup says how.
final class MessageHandler<Message: Sendable>: ChannelInboundHandler {
    typealias InboundIn = Message

    private let onMessage: @Sendable (Message) -> Void
    private let onError: @Sendable (LabError) -> Void

    init(
        onMessage: @escaping @Sendable (Message) -> Void,
        onError: @escaping @Sendable (LabError) -> Void
    ) {
        self.onMessage = onMessage
        self.onError = onError
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        onMessage(unwrapInboundIn(data))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let violation = error as? LabError { onError(violation) }
        context.close(promise: nil)
    }
}
