import NIOCore
import NIOPosix
import Synchronization
import Testing
import USBClasses
import USBCore
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(2)))
struct IPPPrinterTests {
    /// A printer in a guest, and the guest's clients on its interfaces.
    private struct Printer {
        let bench: Bench
        let hosts: NIOLoopBound<[PrinterHost]>

        init(_ to: String, connections: Int = 2) async throws {
            let target = try IPPPrinterTarget(parsing: to)
            var timing = UpstreamCluster.Timing()
            timing.tick = .milliseconds(20)
            timing.recheck = .milliseconds(100)
            timing.backOff = .milliseconds(20)
            let bench = try await Bench { [timing] loop in
                IPPPrinterFunction(
                    name: "lp", target: target, connections: connections, eventLoop: loop, logger: .test, timing: timing
                )
            }
            hosts = try await bench.run { state in
                state.guest.configure()
                return NIOLoopBound(
                    (0..<connections).map { PrinterHost(state.guest, interface: $0) }, eventLoop: state.guest.loop)
            }
            self.bench = bench
        }

        func use(_ number: Int = 0, _ body: @escaping @Sendable (PrinterHost) -> Void) async throws {
            let hosts = hosts
            try await bench.run { _ in body(hosts.value[number]) }
        }

        func until(_ what: String, _ number: Int = 0, _ fits: @escaping @Sendable (PrinterHost) -> Bool) async throws {
            let hosts = hosts
            try await bench.until(what) { _ in fits(hosts.value[number]) }
        }

        /// Sends a request and waits for its answer.
        func ask(
            _ text: String, body: [UInt8] = [], on number: Int = 0, bodiless: Bool = false
        ) async throws -> PrinterHost.Answer {
            let before = Mutex(0)
            try await use(number) { host in
                before.withLock { $0 = host.answers.count }
                host.answersAreBodiless = bodiless
                host.send(text, body: body)
            }
            let count = before.withLock { $0 }
            try await until("an answer to \(text.prefix(20))", number) { $0.answers.count > count }
            let hosts = hosts
            return try await bench.run { _ in hosts.value[number].answers[count] }
        }
    }

    private func use(
        _ path: String = "", connections: Int = 2, _ body: (Printer, OriginServer) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await OriginServer("origin", on: group)
        let printer = try await Printer(
            path.isEmpty ? "http://127.0.0.1:\(server.port)" : "ipp://127.0.0.1:\(server.port)\(path)",
            connections: connections)
        try await body(printer, server)
        try await printer.bench.end()
        try await server.kill()
    }

    private static func chunked(_ bytes: [UInt8], by size: Int) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: size).flatMap { start in
            let piece = bytes[start..<min(start + size, bytes.count)]
            return Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
        } + Array("0\r\n\r\n".utf8)
    }

    @Test func isOneFunctionOfSeveralInterfaces() async throws {
        try await use("/printers/a", connections: 3) { printer, _ in
            try await printer.bench.run { state in
                let configuration = try #require(state.guest.configuration)
                #expect(configuration.associations.map(\.interfaceCount) == [3])
                #expect(configuration.interfaces.count == 3)
                for interface in configuration.interfaces {
                    #expect(
                        [interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol]
                            == [7, 1, 4])
                    #expect(interface.endpoints.map(\.address.direction) == [.in, .out])
                    #expect(interface.classDescriptors == [[10, 0x21, 0x10, 1, 0, 4, 1, 0, 0, 0]])
                }
                // The interface is in the high byte of wIndex here.
                for index: UInt16 in [0, 0x0100, 0x0200] {
                    let id = try #require(state.guest.control(0xA1, 0, index: index, length: 1023)?.data)
                    #expect(Int(id[0]) << 8 | Int(id[1]) == id.count)
                    #expect(
                        String(decoding: id[2...], as: UTF8.self)
                            == "MFG:2Virt;MDL:Printer lp;CMD:PWGRaster,JPEG;CLS:PRINTER;SN:lp;")
                }
                #expect(state.guest.control(0xA1, 1, index: 2, length: 1)?.data == [0x18])
                #expect(state.guest.control(0x21, 2, index: 1)?.status == .success)
                #expect(state.guest.control(0x21, 3, index: 1)?.status == .stall)
            }
        }
    }

    @Test func answersOneRequestAfterTheOther() async throws {
        try await use { printer, server in
            let get = try await printer.ask("GET /headers HTTP/1.1\nHost: localhost:60000\nX-A: b\nConnection: X-A\n\n")
            #expect(get.status == 200)
            #expect(get.text.contains("GET /headers\n") && get.text.contains("host: 127.0.0.1:\(server.port)"))
            #expect(!get.text.contains("localhost") && !get.text.contains("x-a"))
            let head = try await printer.ask("HEAD /blob/77 HTTP/1.1\nHost: a\n\n", bodiless: true)
            #expect(head.status == 200 && head.headers["content-length"] == "77")
            let body = Pattern.array(300_000)
            let post = try await printer.ask(
                "POST /sink HTTP/1.1\nHost: a\nContent-Length: 300000\n\n", body: body)
            #expect(post.text == "origin 300000 equal")
            let chunked = try await printer.ask(
                "POST /sink HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", body: Self.chunked(body, by: 7777))
            #expect(chunked.text == "origin 300000 equal")
            let empty = try await printer.ask("POST /sink HTTP/1.1\nHost: a\nContent-Length: 0\n\n")
            #expect(empty.text == "origin 0 equal")
            // No connection to the printer outlives its request, so that none can end as the next one comes.
            try await printer.bench.until("no connection is left but probes") { _ in server.connections == 0 }
        }
    }

    @Test func keepsOrderWhenTheGuestSendsAhead() async throws {
        try await use { printer, _ in
            try await printer.use { host in
                host.send(
                    "GET /blob/3 HTTP/1.1\nHost: a\n\nPOST /sink HTTP/1.1\nHost: a\nContent-Length: 2\n\nxxGET /chunked/4"
                        + " HTTP/1.1\nHost: a\n\n")
            }
            try await printer.until("three answers") { host in host.answers.count == 3 }
            try await printer.use { host in
                #expect(host.answers.map(\.body.count) == [3, 18, 4])
            }
        }
    }

    @Test func carriesLargeBodies() async throws {
        try await use { printer, _ in
            let size = 5_000_000
            let job = Pattern.array(size)
            let sent = try await printer.ask(
                "POST /sink HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", body: Self.chunked(job, by: 32768))
            #expect(sent.text == "origin \(size) equal")
            let page = try await printer.ask("GET /chunked/\(size) HTTP/1.1\nHost: a\n\n")
            #expect(page.headers["transfer-encoding"] == "chunked" && page.body == job)
            let blob = try await printer.ask("GET /blob/\(size) HTTP/1.1\nHost: a\n\n")
            #expect(blob.headers["content-length"] == "\(size)" && blob.body == job)
        }
    }

    @Test func connectionsDoNotWaitForEachOther() async throws {
        try await use { printer, server in
            try await printer.use(0) { $0.send("GET /hold HTTP/1.1\nHost: a\n\n") }
            try await printer.bench.until("the first has come") { _ in server.requests > 1 }
            #expect(try await printer.ask("GET /x HTTP/1.1\nHost: a\n\n", on: 1).text == "origin")
            // A host that begins anew is rid of the request that hangs.
            try await printer.use(0) { $0.chooseSetting(interface: 0) }
            #expect(try await printer.ask("GET /x HTTP/1.1\nHost: a\n\n", on: 0).text == "origin")
        }
    }

    @Test func givesTheGuestOnePrinterOfTheServer() async throws {
        try await use("/headers/a") { printer, _ in
            for path in [
                "/ipp/print", "/headers/a", "/ipp/print/7", "/ipp/print?x", "http://localhost:60000/ipp/print",
            ] {
                let answer = try await printer.ask("GET \(path) HTTP/1.1\nHost: a\n\n")
                #expect(answer.status == 200 && answer.text.contains("GET /headers/a"), "\(path)")
            }
            for path in [
                "/", "/admin", "/ipp/printer", "/ipp/print/../../admin", "/ipp/print/%2e%2E/b", "/ipp/print/..%2fb",
                "/ipp/print/..;/b", "/headers", "*", "http://localhost", "ftp://a/ipp/print",
            ] {
                let answer = try await printer.ask(
                    "\(path == "*" ? "OPTIONS" : "POST") \(path) HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc")
                #expect(answer.status == 404, "\(path)")
            }
        }
    }

    @Test func aimsEveryMessageAtThatPrinter() async throws {
        try await use("/headers/a") { printer, server in
            func ask(_ uri: String, chunked: Bool = false, type: String = "application/ipp") async throws
                -> PrinterHost.Answer
            {
                let message = IPPMessage.getPrinterAttribute("x", of: uri) + [UInt8](repeating: 7, count: 100_000)
                let framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(message.count)"
                return try await printer.ask(
                    "POST /ipp/print HTTP/1.1\nHost: a\nContent-Type: \(type)\n\(framing)\n\n",
                    body: chunked ? Self.chunked(message, by: 50) : message)
            }
            let guest = "ipp://localhost:60000/ipp/print"
            let length =
                100_000 + IPPMessage.getPrinterAttribute("x", of: "ipp://127.0.0.1:\(server.port)/headers/a").count
            let whole = try await ask(guest)
            #expect(whole.status == 200 && whole.text.contains("content-length: \(length)"), "\(whole.text)")
            let chunked = try await ask(guest, chunked: true)
            #expect(chunked.status == 200 && chunked.text.contains("transfer-encoding: chunked"))
            #expect(try await ask("ipp://127.0.0.1/headers/a").status == 200)
            for uri in [
                "ipp://a/printers/b", "ipp://a/ipp/print/../b", "ipp://a", "", "file:///ipp/print",
                "ipp://a/ipp/print?b",
            ] {
                #expect(try await ask(uri).status == 403, "\(uri)")
                #expect(try await ask(uri, chunked: true).status == 403, "\(uri)")
            }
            #expect(try await ask(guest, type: "text/plain").status == 415)
            // Too short, and attributes without an end.
            let short = try await printer.ask(
                "POST /ipp/print HTTP/1.1\nHost: a\nContent-Type: application/ipp\nContent-Length: 3\n\nabc")
            #expect(short.status == 400)
            let one: [UInt8] = [0x44, 0, 1, 0x61, 0x0F, 0xFF] + [UInt8](repeating: 0x62, count: 4095)
            let endless: [UInt8] = [1, 1, 0, 11, 0, 0, 0, 1, 1] + Array(repeating: one, count: 40).flatMap { $0 }
            let long = try await printer.ask(
                "POST /ipp/print HTTP/1.1\nHost: a\nContent-Type: application/ipp\nContent-Length: \(endless.count)\n\n",
                body: endless)
            #expect(long.status == 400)
        }
    }

    /// Whatever a guest sends, the device lives, and is of use once the guest clears the halt.
    @Test func damagedRequestsHurtNobody() async throws {
        try await use("/headers/a") { printer, _ in
            let message = IPPMessage.getPrinterAttribute("x", of: "ipp://a/ipp/print")
            let head = "POST /ipp/print HTTP/1.1\r\nHost: a\r\nContent-Type: application/ipp\r\n"
            let good =
                Array("\(head)Content-Length: \(message.count)\r\n\r\n".utf8) + message
                + Array("\(head)Transfer-Encoding: chunked\r\n\r\n".utf8) + Self.chunked(message, by: 30)
            var state: UInt64 = 1
            func random(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % bound
            }
            for round in 0..<300 {
                var bytes = good
                for _ in 0...random(3) {
                    let index = random(bytes.count)
                    switch random(3) {
                    case 0: bytes[index] = UInt8(random(256))
                    case 1: bytes.remove(at: index)
                    default: bytes.removeSubrange(index..<min(index + 20, bytes.count))
                    }
                }
                let damaged = bytes
                try await printer.use { host in
                    host.send("", body: damaged)
                    host.send("GET /ipp/print HTTP/1.1\nHost: a\n\n")
                }
                try await printer.use { host in
                    host.clearHalts()
                    host.chooseSetting(interface: 0)
                }
                guard round % 50 == 49 else { continue }
                try await printer.until("nothing on its way") { !$0.isBusy }
                try await printer.use { $0.clearHalts() }
                try await printer.use { $0.chooseSetting(interface: 0) }
                #expect(try await printer.ask("GET /ipp/print HTTP/1.1\nHost: a\n\n").status == 200)
            }
        }
    }

    @Test func closesNothingWhateverTheGuestSays() async throws {
        try await use { printer, _ in
            let last = try await printer.ask("GET /x HTTP/1.1\nHost: a\nConnection: close\n\n")
            #expect(last.status == 200)
            let old = try await printer.ask("GET /x HTTP/1.0\n\n")
            #expect(old.status == 505)
            let tunnel = try await printer.ask("CONNECT a:1 HTTP/1.1\nHost: a\n\n")
            #expect(tunnel.status == 404)
            let upgrade = try await printer.ask("GET /x HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: b\n\n")
            #expect(upgrade.status == 200)
            try await printer.use {
                $0.send("POST /sink HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 3\n\n")
            }
            try await printer.until("100") { $0.answers.last?.status == 100 }
            try await printer.use { $0.send("abc") }
            try await printer.until("200") { $0.answers.last?.status == 200 }
        }
    }

    @Test func whatIsNotHTTPIsHalted() async throws {
        try await use { printer, _ in
            for text in ["HELLO\n\n", "GET / HTTP/1.1\nA: \(String(repeating: "b", count: 100_000))\n\n"] {
                #expect(try await printer.ask(text).status == 400)
                try await printer.bench.change("a note") {
                    if case .note("lp", let text) = $0 {
                        text.hasSuffix("the guest has to clear the halt")
                    } else {
                        false
                    }
                }
                try await printer.use { $0.send("GET /x HTTP/1.1\nHost: a\n\n") }
                try await printer.until("halted") { $0.isOutputStalled }
                try await printer.use { $0.clearHalts() }
                #expect(try await printer.ask("GET /x HTTP/1.1\nHost: a\n\n").text == "origin")
            }
        }
    }

    @Test func anAnswerThatBreaksOffIsAHalt() async throws {
        try await use { printer, server in
            try await printer.use { $0.send("GET /half HTTP/1.1\nHost: a\n\n") }
            try await printer.bench.until("the request has come") { _ in server.requests > 1 }
            try await server.kill()
            try await printer.until("halted") { $0.isInputStalled }
            let again = try await OriginServer("again", on: MultiThreadedEventLoopGroup.singleton, port: server.port)
            try await printer.use { host in
                host.chooseSetting(interface: 0)
            }
            try await printer.until("the printer is back") { $0.answers.isEmpty }
            #expect(try await printer.ask("GET /x HTTP/1.1\nHost: a\n\n").text == "again")
            try await again.kill()
        }
    }

    @Test func aPrinterThatIsAwayIsAnAnswer() async throws {
        try await use { printer, server in
            #expect(try await printer.ask("GET /x HTTP/1.1\nHost: a\n\n").text == "origin")
            try await server.kill()
            let away = try await printer.ask("POST /sink HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc")
            #expect(away.status == 503)
            try await printer.bench.change("trouble") {
                if case .trouble("lp", let text?) = $0 { text.hasPrefix("the printer is not there") } else { false }
            }
            try await printer.bench.run { state in
                #expect(state.guest.control(0xA1, 1, length: 1)?.data == [0x10])
            }
            let again = try await OriginServer("again", on: MultiThreadedEventLoopGroup.singleton, port: server.port)
            try await printer.bench.change("no trouble") { $0 == .trouble(interface: "lp", nil) }
            let back = try await printer.ask("POST /sink HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc")
            #expect(back.text.hasPrefix("again 3"))
            try await again.kill()
        }
    }

    @Test func aSlowPrinterHoldsTheGuestBack() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.so_rcvbuf), value: 65536)
            .bind(host: "127.0.0.1", port: 0).get()
        let printer = try await Printer("http://127.0.0.1:\(server.localAddress?.port ?? 0)")
        let size = 40_000_000
        try await printer.use {
            $0.send("POST /x HTTP/1.1\nHost: a\nContent-Length: \(size)\n\n", body: [UInt8](repeating: 7, count: size))
        }
        let last = Mutex((taken: -1, since: ContinuousClock.now))
        try await printer.until("a second without a byte") { host in
            last.withLock { last in
                if host.taken != last.taken { last = (host.taken, .now) }
                return last.taken > 0 && ContinuousClock.now - last.since > .seconds(1)
            }
        }
        // Kernel buffers of a connection, and little of ours.
        #expect(last.withLock { $0.taken } < 12_000_000)
        try await printer.bench.end()
        try await server.close()
    }

    @Test func tellsTheGuestThePrintersOwnName() async throws {
        let id = "MFG:Acme;MDL:One;CMD:PDF,PWG;"
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NamedPrinter(id))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let printer = try await Printer("ipp://127.0.0.1:\(server.localAddress?.port ?? 0)/ipp/print")
        try await printer.bench.until("its own name") { state in
            state.guest.control(0xA1, 0, index: 0x0100, length: 1023)?.data.dropFirst(2) == ArraySlice(id.utf8)
        }
        try await printer.bench.end()
        try await server.close()
    }

    @Test(arguments: [
        ("ipp://lp.lan/ipp/print", "ipp://lp.lan:631/ipp/print", "/ipp/print"),
        ("ipp://127.0.0.1:8631/printers/a", "ipp://127.0.0.1:8631/printers/a", "/printers/a"),
        ("http://[::1]:80", "ipp://[::1]:80/ipp/print", nil), ("http://lp/", "ipp://lp:80/ipp/print", nil),
    ])
    func readsTargets(text: String, uri: String, path: String?) throws {
        let target = try IPPPrinterTarget(parsing: text)
        #expect(target.printerURI == uri && target.path == path && target.upstream.text == text)
    }

    @Test(arguments: [
        "", "lp", "ipp://", "ipp://lp", "ipp://lp/", "ipp://lp/a/", "ipp://lp:0/a", "ipps://lp/a", "https://lp",
        "http://lp/a", "ipp://lp/a/../b", "ipp://lp/a?b", "ipp://u@lp/a", "tcp://lp/a",
    ])
    func refusesTargets(text: String) {
        let error = #expect(throws: CatalogueError.self) { try IPPPrinterTarget(parsing: text) }
        #expect(error.map { "\($0)" }?.contains("allowed: ipp://HOST[:PORT]/path") == true)
    }
}

/// A printer that answers whatever it is asked with its device ID.
private final class NamedPrinter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let id: String

    init(_ id: String) { self.id = id }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The request's end: IPP's own end tag.
        guard unwrapInboundIn(data).readableBytesView.last == 3 else { return }
        let name = "printer-device-id"
        let message =
            [1, 1, 0, 0, 0, 0, 0, 1, 4, 0x41, 0, UInt8(name.utf8.count)] + Array(name.utf8) + [0, UInt8(id.utf8.count)]
            + Array(id.utf8) + [3]
        var answer = ByteBuffer(
            string: "HTTP/1.1 200 OK\r\ncontent-type: application/ipp\r\ncontent-length: \(message.count)\r\n\r\n")
        answer.writeBytes(message)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}
