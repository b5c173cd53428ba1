import NIOConcurrencyHelpers
import Testing

@testable import GuestClientKit

/// Plain connections to a byte service.
@Suite(.timeLimit(.minutes(1))) struct LocalTunnelTests {
    @Test func bytesCrossAndTheEndIsPassedOn() throws {
        let proxy = try ProxyFixture(isByteService: true)
        let client = try proxy.raw()
        client.send("one ")
        #expect(client.read(until: "one ") == "one ")
        client.send("two")
        client.closeWriting()
        #expect(client.readToEnd().text == "two")
        try proxy.stop()
    }

    @Test func manyConnectionsAreTheirOwn() async throws {
        let proxy = try ProxyFixture(isByteService: true)
        let clients = try (0..<40).map { _ in try proxy.raw() }
        for (number, client) in clients.enumerated() { client.send("number \(number).") }
        for (number, client) in clients.enumerated() { #expect(client.read(until: ".") == "number \(number).") }
        try proxy.stop()
    }

    @Test func anUnpluggedDeviceEndsThem() throws {
        let proxy = try ProxyFixture(isByteService: true)
        let client = try proxy.raw()
        client.send("x")
        #expect(client.read(until: "x") == "x")
        proxy.transport.unplug()
        #expect(client.readToEnd().text == "")
        try proxy.stop()
    }

    @Test func aRefusalIsReported() async throws {
        let said = NIOLockedValueBox([String]())
        let transport = try FakeTransport(isByteService: true)
        let server = try ProxyServer(
            transport: transport,
            options: .init(listen: .tcp(host: "127.0.0.1", port: 0), service: "ssh", isByteService: true),
            report: { text in said.withLockedValue { $0.append(text) } })
        guard case .tcp(_, let port) = try server.start(first: try transport.open()) else {
            throw GuestError.failed("no port")
        }
        let client = try RawClient(port: port)
        client.send("hello?")
        #expect(client.readToEnd().text == "")
        let isTold = try await eventually { said.withLockedValue { $0.contains { $0.contains("403 not given") } } }
        #expect(isTold)
        try server.stop()
    }
}
