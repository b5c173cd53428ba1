import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What the streams of a Web Service interface share: its names, its cluster and the HTTP client.
final class UpstreamProxy {
    let cluster: UpstreamCluster
    /// From the end of the request to the head of the response.
    let responseTimeout: TimeAmount
    let eventLoop: any EventLoop
    /// Tells the operator.
    var note: ((String) -> Void)?
    private let services: Set<String>
    private let client: HTTPClient
    private let logger: Logger
    private var lastRefusal: (name: String, at: NIODeadline)?

    init(
        services: [String], cluster: UpstreamCluster, eventLoop: any EventLoop, logger: Logger,
        responseTimeout: TimeAmount = .seconds(120)
    ) {
        self.services = Set(services.map { $0.lowercased() })
        self.cluster = cluster
        self.eventLoop = eventLoop
        self.logger = logger
        self.responseTimeout = responseTimeout
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: cluster.timing.connectTimeout))
        configuration.httpVersion = .http1Only
        // Another member is tried sooner than the same one again.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        // Below what common servers allow, so that a request seldom meets a connection that is about to close.
        configuration.connectionPool.idleTimeout = .seconds(1)
        client = HTTPClient(eventLoopGroupProvider: .shared(eventLoop), configuration: configuration)
    }

    func shutdown() {
        note = nil
        cluster.shutdown()
        let logger = logger
        client.shutdown { error in
            if let error { logger.warning("HTTP client did not end cleanly", metadata: ["error": "\(error)"]) }
        }
    }

    /// Whether a guest may address `authority`; a refusal is told to the operator, at most ten a second.
    func allows(_ authority: String) -> Bool {
        if services.contains(authority.lowercased()) { return true }
        let now = NIODeadline.now()
        if let last = lastRefusal, now < last.at + (last.name == authority ? .seconds(1) : .milliseconds(100)) {
            return false
        }
        lastRefusal = (authority, now)
        note?("403: guest asked for service '\(authority.prefix(80))', which it was not given")
        return false
    }

    /// Sends `request` to a member of the cluster.
    ///
    /// - Throws: when the client library refuses the request itself.
    func execute(
        _ request: ProxyRequest, hasBody: Bool, exchange: UpstreamExchange
    ) throws -> HTTPClient.Task<Void> {
        let upstream = cluster.members[exchange.member].upstream
        let target = upstream.basePath + request.target
        var headers = request.headers
        let url: URL?
        switch upstream.endpoint {
        case .tcp(let host, let port):
            let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            url = URL(string: "http://\(authority)\(target)")
        case .unix(let path):
            url = URL(httpURLWithSocketPath: path, uri: target)
            headers.add(name: "host", value: "localhost")
        }
        guard let url else { throw HTTPClientError.invalidURL }
        let body: HTTPClient.Body? =
            hasBody ? .stream(contentLength: request.contentLength) { exchange.sendBody($0) } : nil
        let outgoing = try HTTPClient.Request(url: url, method: request.method, headers: headers, body: body)
        return client.execute(
            request: outgoing, delegate: exchange, eventLoop: .delegateAndChannel(on: eventLoop), deadline: nil)
    }
}
