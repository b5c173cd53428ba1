import NIOCore
import NIOPosix
import Testing
import USBDevice

@testable import SimulatedFirmware

/// CONNECT streams of a Web Service pipe (RFC 9113 section 8.5).
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ByteServiceTests {
    private func withEcho(_ body: (EchoServer) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let echo = try await EchoServer(on: group)
        try await body(echo)
        try await group.shutdownGracefully()
    }

    /// A Web Service `web` whose upstream nobody needs, with the byte service `db`.
    private func bench(_ target: String) async throws -> Bench {
        let service = try ByteService(name: "db", parsing: target)
        let upstream = try Upstream(parsing: "127.0.0.1:1")
        let bench = try await Bench { loop in
            try WebServiceFunction(
                name: "web", upstreams: [upstream], services: [], streams: [service], eventLoop: loop, logger: .test)
        }
        try await bench.run { $0.guest.configure() }
        try await bench.startClient()
        return bench
    }

    private func libvirt(_ target: String) async throws -> Bench {
        let service = try ByteService(name: "virt", parsing: target)
        let bench = try await Bench { loop in
            WebServiceFunction(kind: "libvirt", service: service, eventLoop: loop, logger: .test)
        }
        try await bench.run { $0.guest.configure() }
        try await bench.startClient()
        return bench
    }

    @Test func bytesCrossWholeBothWaysAndEachEndIsTold() async throws {
        try await withEcho { echo in
            let bench = try await bench(echo.text)
            let answer = try await bench.request(
                "", method: "CONNECT", authority: "db", upload: Upload(size: 16 << 20, announced: false))
            #expect(answer.status == 200 && !answer.isBroken)
            #expect(answer.check.count == 16 << 20 && answer.check.isEqual)
            // The authority of CONNECT has a port by its standard.
            let small = try await bench.request(
                "", method: "CONNECT", authority: "DB:5432", upload: Upload(size: 10, announced: false))
            #expect(small.status == 200 && small.check.count == 10 && small.check.isEqual)
            try await bench.end()
        }
    }

    @Test func fiftyAtOnce() async throws {
        try await withEcho { echo in
            let bench = try await bench(echo.text)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        let answer = try await bench.request(
                            "", method: "CONNECT", authority: "db", upload: Upload(size: 300_000, announced: false))
                        #expect(answer.status == 200 && answer.check.count == 300_000 && answer.check.isEqual)
                    }
                }
                try await group.waitForAll()
            }
            try await bench.end()
        }
    }

    @Test func whatWasNotGivenIsRefused() async throws {
        try await withEcho { echo in
            let bench = try await bench(echo.text)
            #expect(try await bench.request("", method: "CONNECT", authority: "ssh").status == 403)
            try await bench.change("refusal") {
                if case .note(_, let text) = $0 { text.contains("'ssh'") } else { false }
            }
            #expect(try await bench.request("", method: "CONNECT", authority: "web").status == 405)
            #expect(try await bench.request("/", authority: "db").status == 405)
            try await bench.end()
        }
    }

    @Test func aServiceThatIsAwayIsNamedAndComesBack() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let first = try await EchoServer(on: group)
        let port = first.port
        try await first.stop()
        let bench = try await libvirt("127.0.0.1:\(port)")
        let refused = try await bench.request(
            "", method: "CONNECT", authority: "virt", upload: Upload(size: 100, announced: false))
        #expect(refused.status == 502 && refused.text.contains("127.0.0.1:\(port)"))
        try await bench.change("trouble") {
            if case .trouble("virt", let text?) = $0 { text.contains("cannot be reached") } else { false }
        }
        let second = try await EchoServer(on: group, port: port)
        let answer = try await bench.request(
            "", method: "CONNECT", authority: "virt", upload: Upload(size: 100, announced: false))
        #expect(answer.status == 200 && answer.check.count == 100)
        try await bench.change("no trouble") { $0 == .trouble(interface: "virt", nil) }
        try await second.stop()
        try await bench.end()
        try await group.shutdownGracefully()
    }

    @Test func connectionsAreBounded() async throws {
        try await withEcho { echo in
            let bench = try await bench(echo.text)
            // Never ended by the guest, so they stay.
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<(UpstreamProxy.maximumTunnels + 20) {
                    group.addTask {
                        try await bench.connectAndHold("db")
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: UpstreamProxy.maximumTunnels, 503: 20])
            try await bench.end()
        }
    }

    @Test func anInterfaceThatIsAByteServiceSaysSo() async throws {
        let bench = try await libvirt("unix:/nowhere/libvirt-sock-ro")
        try await bench.run { state in
            #expect(state.guest.control(0xC1, 0x00, length: 8)?.data == [0x00, 0x01, 1, 0, 0, 0, 1, 0])
            #expect(state.function.kind == "libvirt")
            #expect(state.function.backend == "unix:/nowhere/libvirt-sock-ro")
        }
        #expect(try await bench.request("/", authority: "virt").status == 405)
        #expect(try await bench.request("/", authority: "web").status == 403)
        try await bench.end()
    }

    @Test func libvirtPolicyNeedsTheSocketThatKeepsIt() throws {
        #expect(
            try InterfaceSpec.libvirt(name: "v", to: nil, policy: nil)
                == .libvirt(ByteService(name: "v", parsing: "unix:/run/libvirt/libvirt-sock-ro")))
        #expect(
            try InterfaceSpec.libvirt(name: "v", to: nil, policy: "full")
                == .libvirt(ByteService(name: "v", parsing: "unix:/run/libvirt/libvirt-sock")))
        #expect(throws: CatalogueError.writableLibvirtSocket("unix:/run/x")) {
            try InterfaceSpec.libvirt(name: "v", to: "unix:/run/x", policy: "read-only")
        }
        #expect(throws: CatalogueError.badLibvirtPolicy("open")) {
            try InterfaceSpec.libvirt(name: "v", to: nil, policy: "open")
        }
        #expect(throws: CatalogueError.badLibvirtSocket("10.0.0.1:16509")) {
            try InterfaceSpec.libvirt(name: "v", to: "10.0.0.1:16509", policy: "full")
        }
    }

    @Test func streamsAreNamedOnce() throws {
        #expect(throws: CatalogueError.serviceNamedTwice("db")) {
            try InterfaceSpec.webService(
                name: "web", upstreams: ["127.0.0.1:1"], services: ["db"], streams: ["db=127.0.0.1:2"])
        }
        #expect(throws: CatalogueError.badByteService("db")) {
            try InterfaceSpec.webService(name: "web", upstreams: ["127.0.0.1:1"], streams: ["db"])
        }
        #expect(throws: CatalogueError.badServiceName("d b")) {
            try InterfaceSpec.webService(name: "web", upstreams: ["127.0.0.1:1"], streams: ["d b=127.0.0.1:2"])
        }
    }
}
