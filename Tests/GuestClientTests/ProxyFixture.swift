import AsyncHTTPClient
import Foundation
import NIOCore
import Testing

@testable import GuestClientKit

/// A running proxy in front of a fake device, with a client.
/// Unchecked: its server is started in the initialiser and stopped once, by the test that owns it.
final class ProxyFixture: @unchecked Sendable {
    let transport: FakeTransport
    let port: Int
    private let server: ProxyServer

    init(
        patience: Double = 10, plugged: Bool = true, isByteService: Bool = false,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        transport = try FakeTransport(isByteService: isByteService)
        if !plugged { transport.unplug() }
        server = try ProxyServer(
            transport: transport, options: .init(listen: .tcp(host: "127.0.0.1", port: 0), patience: patience),
            report: report)
        let first = plugged ? try transport.open() : nil
        guard case .tcp(_, let port) = try server.start(first: first) else { throw GuestError.failed("no port") }
        self.port = port
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func raw() throws -> RawClient { try RawClient(port: port) }

    func stop() throws { try server.stop() }

    /// One request with the whole answer as text.
    func fetch(_ path: String) async throws -> (status: UInt, text: String) {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url(path)), timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response.status.code, String(buffer: body))
    }
}

/// Polls for something that announces itself nowhere.
func eventually(seconds: Double = 10, _ condition: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return condition()
}
