import Glibc
import Testing

@testable import GuestClientKit

@Suite struct PeerLossTests {
    @Test func unansweredRequestGetsBadGatewayWithTheReason() async throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("GET /hang HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        // The service has seen it once a later request is answered.
        _ = try await proxy.fetch("/ready")
        proxy.transport.unplug()
        let text = client.readToEnd().text
        #expect(text.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(text.hasSuffix("2virt-guest: the device was unplugged\n"))
        try proxy.stop()
    }

    @Test func answerThatHasBegunIsCutOff() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.read(until: "part").contains("content-length: 1000"))
        proxy.transport.unplug()
        let (rest, code) = client.readToEnd()
        #expect(rest.isEmpty)
        #expect(code == ECONNRESET)
        try proxy.stop()
    }

    @Test func resetStreamIsABadGateway() async throws {
        let proxy = try ProxyFixture()
        #expect(try await proxy.fetch("/reset").status == 502)
        #expect(try await proxy.fetch("/after").text == "path /after")
        try proxy.stop()
    }

    @Test func requestWaitsForTheDeviceToReturn() async throws {
        let proxy = try ProxyFixture()
        _ = try await proxy.fetch("/before")
        proxy.transport.unplug()
        async let answer = proxy.fetch("/while-away")
        proxy.transport.plug()
        #expect(try await answer.text == "path /while-away")
        #expect(proxy.transport.opened == 2)
        try proxy.stop()
    }

    @Test func requestThatWaitsTooLongIsUnavailable() async throws {
        let proxy = try ProxyFixture(patience: 0.2, plugged: false)
        let answer = try await proxy.fetch("/never")
        #expect(answer.status == 503)
        #expect(answer.text == "2virt-guest: the fake device is unplugged\n")
        try proxy.stop()
    }

    @Test func startsWithoutADeviceAndServesWhenItComes() async throws {
        let proxy = try ProxyFixture(plugged: false)
        async let answer = proxy.fetch("/first")
        proxy.transport.plug()
        #expect(try await answer.text == "path /first")
        try proxy.stop()
    }
}
