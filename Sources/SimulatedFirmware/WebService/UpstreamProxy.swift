import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1

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
    /// Tells the operator.
    var note: ((String) -> Void)?
    /// Connections to byte services that one interface may have at once: each is a descriptor.
    static let maximumTunnels = 128

    private let services: Set<String>
    private let byteServices: [String: ByteService]
    private var tunnels = 0
    /// Byte services that could not be reached the last time.
    private var unreachable: [String: String] = [:]
    /// Tells what is wrong with the byte services now, nil when nothing is.
    var trouble: ((String?) -> Void)?
    private let client: HTTPClient
    private let logger: Logger
    private var lastRefusal: (name: String, at: NIODeadline)?

    init(
        services: [String], byteServices: [ByteService] = [], cluster: UpstreamCluster, eventLoop: any EventLoop,
        logger: Logger,
        responseTimeout: TimeAmount = .seconds(120)
    ) {
        self.services = Set(services.map { $0.lowercased() })
        self.byteServices = Dictionary(byteServices.map { ($0.name.lowercased(), $0) }) { first, _ in first }
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
        trouble = nil
        cluster.shutdown()
        let logger = logger
        client.shutdown { error in
            if let error { logger.warning("HTTP client did not end cleanly", metadata: ["error": "\(error)"]) }
        }
    }

    /// Whether a guest may address `authority`; a refusal is told to the operator, at most ten a second.
    func allows(_ authority: String) -> Bool {
        if services.contains(authority.lowercased()) { return true }
        refused(authority)
        return false
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
