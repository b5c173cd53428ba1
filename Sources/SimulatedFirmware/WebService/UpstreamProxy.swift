import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import ServiceContracts

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What the streams of a Web Service interface share: its names, its cluster, the HTTP client and the byte services.
final class UpstreamProxy {
    let cluster: UpstreamCluster
    /// From the end of the request to the head of the response.
    let responseTimeout: TimeAmount
    let eventLoop: any EventLoop
    /// What guests of this proxy can be told, and what has to be kept from them.
    let manner: Manner
    /// Tells the operator.
    var note: ((String) -> Void)?
    /// Connections to byte services that one interface may have at once: each is a descriptor.
    static let maximumTunnels = 128

    /// How requests go to upstreams.
    enum Manner {
        /// Connections are kept for the next request, and answers begin as they come: an HTTP/2 guest sees a stream end.
        case streams
        /// A connection for each request, so that none ends just as it is used again, and a small answer is passed on
        /// when it is whole: the guest has no connection that could be seen to end.
        case exchanges
    }

    private let services: Set<String>
    private let byteServices: [String: ByteService]
    private var tunnels = 0
    /// Byte services that could not be reached the last time.
    private var unreachable: [String: String] = [:]
    /// Tells what is wrong with the byte services now, nil when nothing is.
    var trouble: ((String?) -> Void)?
    private let client: HTTPClient
    private let logger: Logger
    /// The services of this interface by name, and what their documents say.
    private(set) lazy var directory = ServiceDirectory(proxy: self)
    private var isEnded = false
    private var waiting: [() -> Void] = []
    private var lastRefusal: (name: String, at: NIODeadline)?

    init(
        services: [String], byteServices: [ByteService] = [], cluster: UpstreamCluster, eventLoop: any EventLoop,
        logger: Logger, manner: Manner = .streams,
        responseTimeout: TimeAmount = .seconds(120)
    ) {
        self.services = Set(services.map { $0.lowercased() })
        self.byteServices = Dictionary(byteServices.map { ($0.name.lowercased(), $0) }) { first, _ in first }
        self.cluster = cluster
        self.eventLoop = eventLoop
        self.logger = logger
        self.manner = manner
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
        trouble = nil
        cluster.shutdown()
        for entry in directory.entries { entry.cluster.shutdown() }
        directory.changed = nil
        let logger = logger
        let proxy = NIOLoopBound(self, eventLoop: eventLoop)
        client.shutdown { error in
            if let error { logger.warning("HTTP client did not end cleanly", metadata: ["error": "\(error)"]) }
            proxy.eventLoop.execute { proxy.value.ended() }
        }
    }

    /// After `shutdown`: calls `body` when no connection of the HTTP client is left that might still use the loop.
    func whenEnded(_ body: @escaping () -> Void) {
        if isEnded { body() } else { waiting.append(body) }
    }

    private func ended() {
        isEnded = true
        let bodies = waiting
        waiting = []
        for body in bodies { body() }
    }

    /// The servers of the service that a guest addresses; nil when it was not given, which is told to the operator, at
    /// most ten times a second.
    func cluster(for authority: String) -> UpstreamCluster? {
        let name = Self.serviceName(authority)
        if services.contains(name) { return cluster }
        if let entry = directory.entry(name) { return entry.cluster }
        refused(authority)
        return nil
    }

    private func refused(_ authority: String) {
        let now = NIODeadline.now()
        if let last = lastRefusal, now < last.at + (last.name == authority ? .seconds(1) : .milliseconds(100)) {
            return
        }
        lastRefusal = (authority, now)
        note?("403: guest asked for service '\(authority.prefix(80))', which it was not given")
    }

    // MARK: Byte services

    /// Why a CONNECT stream is refused.
    struct TunnelRefusal: Error {
        let status: Int
        let reason: String
    }

    /// A handler that carries a stream to the byte service of this name; `release` must follow when the stream ends.
    func tunnel(to authority: String, isGuestDone: Bool) throws(TunnelRefusal) -> TunnelStream {
        let name = Self.serviceName(authority)
        guard let service = byteServices[name] else {
            if services.contains(name) {
                throw TunnelRefusal(
                    status: 405, reason: "'\(name.prefix(80))' is an HTTP service; CONNECT is for byte services")
            }
            refused(authority)
            throw TunnelRefusal(status: 403, reason: "service '\(authority.prefix(80))' was not given to this device")
        }
        guard tunnels < Self.maximumTunnels else {
            throw TunnelRefusal(status: 503, reason: "more than \(Self.maximumTunnels) connections to byte services")
        }
        tunnels += 1
        return TunnelStream(service: service, isGuestDone: isGuestDone, eventLoop: eventLoop) { [weak self] problem in
            self?.reached(service, problem)
        }
    }

    func tunnelEnded() { tunnels -= 1 }

    /// Where the byte services listen.
    var byteServiceText: String { byteServices.values.map(\.text).sorted().joined(separator: ", ") }

    func isByteService(_ authority: String) -> Bool { byteServices[Self.serviceName(authority)] != nil }

    private func reached(_ service: ByteService, _ problem: String?) {
        let text = problem.map { "service \(service.name) (\(service.text)) cannot be reached: \($0)" }
        guard unreachable[service.name] != text else { return }
        unreachable[service.name] = text
        note?(text ?? "service \(service.name) (\(service.text)) answers again")
        trouble?(unreachable.values.min())
    }

    /// The authority of CONNECT has a port (RFC 9113 section 8.5); a service has none, so it means nothing.
    private static func serviceName(_ authority: String) -> String {
        let name = authority.lowercased()
        guard let colon = name.lastIndex(of: ":"), UInt16(name[name.index(after: colon)...]) != nil else { return name }
        return String(name[..<colon])
    }

    /// Sends `request` to a member of a cluster.
    ///
    /// - Throws: when the client library refuses the request itself.
    func execute(
        _ request: ProxyRequest, at upstream: Upstream, hasBody: Bool, exchange: UpstreamExchange
    ) throws -> HTTPClient.Task<Void> {
        var headers = request.headers
        if manner == .exchanges { headers.add(name: "connection", value: "close") }
        let url = try Self.url(upstream, upstream.basePath + request.target, &headers)
        let body: HTTPClient.Body? =
            hasBody ? .stream(contentLength: request.contentLength) { exchange.sendBody($0) } : nil
        let outgoing = try HTTPClient.Request(url: url, method: request.method, headers: headers, body: body)
        return client.execute(
            request: outgoing, delegate: exchange, eventLoop: .delegateAndChannel(on: eventLoop), deadline: nil)
    }

    /// A request of the directory's own, answered whole.
    ///
    /// - Parameters:
    ///   - target: the whole path and query.
    ///   - limit: bytes of the answer above which it fails.
    func fetch(
        _ upstream: Upstream, method: String, target: String, headers: [String: String], body: [UInt8], limit: Int,
        timeout: TimeAmount
    ) -> EventLoopFuture<ContractAnswer> {
        do {
            var fields = HTTPHeaders(headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
            let url = try Self.url(upstream, target, &fields)
            let request = try HTTPClient.Request(
                url: url, method: HTTPMethod(rawValue: method), headers: fields,
                body: body.isEmpty ? nil : .bytes(body))
            let task = client.execute(
                request: request, delegate: ResponseAccumulator(request: request, maxBodySize: limit),
                eventLoop: .delegateAndChannel(on: eventLoop), deadline: .now() + timeout)
            return task.futureResult.hop(to: eventLoop).map { response in
                ContractAnswer(
                    status: Int(response.status.code),
                    contentType: response.headers.first(name: "content-type")?.lowercased() ?? "",
                    body: response.body.map { Array($0.readableBytesView) } ?? [])
            }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    private static func url(_ upstream: Upstream, _ target: String, _ headers: inout HTTPHeaders) throws -> URL {
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
        return url
    }
}
