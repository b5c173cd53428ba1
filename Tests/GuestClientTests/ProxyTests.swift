import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing

@testable import GuestClientKit

@Suite struct ProxyTests {
    @Test func hundredRequestsAtOnce() async throws {
        let proxy = try ProxyFixture()
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<150 {
                let path = "/n/\(number)"
                let url = proxy.url(path)
                group.addTask {
                    let response = try await HTTPClient.shared.execute(
                        HTTPClientRequest(url: url), timeout: .seconds(30))
                    return (number, String(buffer: try await response.body.collect(upTo: 1024)))
                }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 150)
        #expect(answers.allSatisfy { $0.value == "path /n/\($0.key)" })
        #expect(proxy.transport.opened == 1)
        try proxy.stop()
    }

    @Test func echoesLargeBodyBothWaysWhole() async throws {
        let proxy = try ProxyFixture()
        let chunks = 1024  // of 64 KiB
        var request = HTTPClientRequest(url: proxy.url("/echo"))
        request.method = .POST
        request.body = .stream(PatternBody(chunks: chunks), length: .known(Int64(chunks * 65536)))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        var received = ByteBuffer()
        var whole = 0
        for try await part in response.body {
            received.writeImmutableBuffer(part)
            while let chunk = received.readSlice(length: 65536) {
                #expect(chunk == TestService.pattern)
                whole += 1
            }
            received.discardReadBytes()
        }
        #expect(whole == chunks)
        #expect(received.readableBytes == 0)
        try proxy.stop()
    }

    @Test func clientThatDoesNotReadStopsTheService() async throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        let path = "/size/1073741823"
        client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
        var last = -1
        var isStill = 0
        let stalled = try await eventually(seconds: 60) {
            let now = TestService.sent.withLockedValue { $0[path] ?? 0 }
            isStill = now == last && now > 0 ? isStill + 1 : 0
            last = now
            return isStill >= 15
        }
        #expect(stalled)
        // Kernel socket buffers (10 MiB at most), one stream window, the transfers: far less than the body.
        #expect(last < 32 << 20)
        // The stalled stream does not hold up another one.
        #expect(try await proxy.fetch("/other").text == "path /other")
        try proxy.stop()
    }

    @Test func headKeepsItsLengthAndHasNoBody() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("HEAD /head HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let text = client.readToEnd().text
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(text.contains("path /next"))
        try proxy.stop()
    }

    @Test func noContentHasNoFraming() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(client.readToEnd().text == "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        try proxy.stop()
    }

    @Test func asksForTheBodyOnContinue() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hello")
        let text = client.readToEnd().text
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.contains("hello"))
        try proxy.stop()
    }

    @Test func chunkedBodyAndAnswer() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        let text = client.readToEnd().text
        #expect(text.contains("transfer-encoding: chunked\r\n"))
        #expect(text.hasSuffix("3\r\nabc\r\n0\r\n\r\n"))
        try proxy.stop()
    }

    @Test func oldClientThatHalfClosesGetsItsAnswer() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("GET /old HTTP/1.0\r\n\r\n")
        client.closeWriting()
        let (text, code) = client.readToEnd()
        #expect(text.hasPrefix("HTTP/1.0 200 OK\r\n"))
        #expect(text.hasSuffix("\r\n\r\npath /old"))
        #expect(code == 0)
        try proxy.stop()
    }

    @Test func connectionFieldsStayHere() async throws {
        let proxy = try ProxyFixture()
        var request = HTTPClientRequest(url: proxy.url("/fields"))
        request.headers = [
            "connection": "keep-alive, x-private", "x-private": "1", "upgrade": "websocket", "te": "trailers, gzip",
            "cookie": "a=b", "x-kept": "yes",
        ]
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let lines = String(buffer: try await response.body.collect(upTo: 4096)).split(separator: "\n")
        #expect(lines.contains("host: web"))
        #expect(lines.contains("x-forwarded-host: 127.0.0.1:\(proxy.port)"))
        #expect(lines.contains("x-kept: yes") && lines.contains("cookie: a=b") && lines.contains("te: trailers"))
        #expect(!lines.contains { $0.hasPrefix("connection") || $0.hasPrefix("upgrade") || $0.hasPrefix("x-private") })
        #expect(response.headers["x-one"] == ["1"])
        #expect(response.headers["keep-alive"].isEmpty)
        try proxy.stop()
    }

    @Test func earlyAnswerLeavesTheConnectionUsable() throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        #expect(client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 413 "))
        client.send("67890GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(client.readToEnd().text.contains("path /again"))
        try proxy.stop()
    }

    @Test(arguments: [
        ("CONNECT host:1 HTTP/1.1\r\nHost: host:1", "501"), ("GET nowhere HTTP/1.1\r\nHost: x", "400"),
    ])
    func refusesWhatItCannotCarry(_ head: String, _ status: String) throws {
        let proxy = try ProxyFixture()
        let client = try proxy.raw()
        client.send("\(head)\r\nConnection: close\r\n\r\n")
        #expect(client.readToEnd().text.hasPrefix("HTTP/1.1 \(status) "))
        try proxy.stop()
    }
}

/// A body of so many patterns, made on demand.
private struct PatternBody: AsyncSequence, Sendable {
    struct AsyncIterator: AsyncIteratorProtocol {
        var left: Int

        mutating func next() async -> ByteBuffer? {
            guard left > 0 else { return nil }
            left -= 1
            return TestService.pattern
        }
    }

    var chunks: Int

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(left: chunks) }
}
