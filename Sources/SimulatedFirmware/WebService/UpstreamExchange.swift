import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// What a stream does with the events of one attempt at an upstream.
protocol UpstreamExchangeStream: AnyObject {
    /// Gives the request's body to `writer`; the future ends with the body.
    func sendBody(_ writer: HTTPClient.Body.StreamWriter, for exchange: UpstreamExchange) -> EventLoopFuture<Void>
    func requestHeadSent(_ exchange: UpstreamExchange)
    func requestSent(_ exchange: UpstreamExchange)
    func received(_ head: HTTPResponseHead, _ exchange: UpstreamExchange)
    /// The future ends when there is room for more.
    func received(_ bytes: ByteBuffer, _ exchange: UpstreamExchange) -> EventLoopFuture<Void>
    func finished(_ exchange: UpstreamExchange)
    func failed(_ error: any Error, _ exchange: UpstreamExchange)
}

/// One attempt at an upstream: hands the client library's callbacks to the stream that it is for.
///
/// All callbacks come on the stream's event loop, which the request was pinned to.
final class UpstreamExchange: HTTPClientResponseDelegate {
    /// Index in the cluster.
    let member: Int
    private let stream: NIOLoopBound<any UpstreamExchangeStream>

    init(member: Int, stream: any UpstreamExchangeStream, eventLoop: any EventLoop) {
        self.member = member
        self.stream = NIOLoopBound(stream, eventLoop: eventLoop)
    }

    func sendBody(_ writer: HTTPClient.Body.StreamWriter) -> EventLoopFuture<Void> {
        stream.value.sendBody(writer, for: self)
    }

    func didSendRequestHead(task: HTTPClient.Task<Void>, _ head: HTTPRequestHead) {
        stream.value.requestHeadSent(self)
    }

    func didSendRequest(task: HTTPClient.Task<Void>) {
        stream.value.requestSent(self)
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        stream.value.received(head, self)
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        stream.value.received(buffer, self)
    }

    func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
        stream.value.failed(error, self)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {
        stream.value.finished(self)
    }
}
