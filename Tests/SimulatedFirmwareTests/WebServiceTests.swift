import Foundation
import NIOCore
import NIOPosix
import Testing
import USBCore

@testable import SimulatedFirmware
@testable import USBDevice

@Suite(.serialized, .timeLimit(.minutes(2)))
struct WebServiceTests {
    /// A bench with a Web Service named `web` in front of `upstreams`, configured and with a client session.
    private func bench(
        _ upstreams: [String], services: [String] = [], timing: UpstreamCluster.Timing = .init(), client: Bool = true
    ) async throws -> Bench {
        let members = try upstreams.map { try Upstream(parsing: $0) }
        let bench = try await Bench { loop in
            try WebServiceFunction(
                name: "web", upstreams: members, services: services, eventLoop: loop, logger: .test, timing: timing)
        }
        try await bench.run { $0.guest.configure() }
        if client { try await bench.startClient() }
        return bench
    }

    private func withOrigin(_ body: (OriginServer) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let origin = try await OriginServer("one", on: group)
        try await body(origin)
        try await origin.kill()
        try await group.shutdownGracefully()
    }

    @Test func declaresVendorInterfaceForWinUSB() async throws {
        let bench = try await bench(["127.0.0.1:1"], client: false)
        try await bench.run { state in
            let interface = try #require(state.guest.configuration?.interfaces.first)
            #expect(interface.interfaceClass == 0xFF)
            #expect(interface.interfaceSubClass == 0x32)
            #expect(interface.interfaceProtocol == 0x56)
            #expect(interface.endpoints.map(\.address.direction) == [.in, .out, .in])
            #expect(interface.endpoints.map(\.type) == [.bulk, .bulk, .interrupt])
            #expect(state.function.declaration(at: .high).compatibleID == "WINUSB")
            let hello = state.guest.control(0xC1, 0x00, length: 8)
            #expect(hello?.data == [0x00, 0x01, 0, 0, 0, 0, 1, 0])
        }
        try await bench.end()
    }

    @Test func releaseNamesDeviceOrInterface() async throws {
        let bench = try await bench(["127.0.0.1:1"], client: false)
        try await bench.run { state in
            #expect(state.guest.control(0x41, 3, value: 1)?.status == .success)
            #expect(state.guest.control(0x41, 3, value: 0)?.status == .success)
            #expect(state.guest.control(0x41, 3, value: 2)?.status == .stall)
        }
        try await bench.change("interface") { $0 == .releaseRequested(interface: "web") }
        try await bench.change("device") { $0 == .releaseRequested(interface: nil) }
        try await bench.end()
    }

    @Test func directoryChangeReachesInterruptEndpoint() async throws {
        let bench = try await bench(["127.0.0.1:1"], client: false)
        let services = [try ServiceDeclaration(name: "a", url: "127.0.0.1:1")]
        let data = try await bench.run { state in
            (state.function as? WebServiceFunction)?.give(services)
            (state.function as? WebServiceFunction)?.give([])
            var data: [UInt8] = []
            state.guest.submit({ .in($0, state.guest.number(.interrupt, .in), length: 16) }, { data = $0.data })
            return data
        }
        // The serial counts the interface's own service, too, and perhaps that its server is found down.
        #expect(data.count == 8 && data.starts(with: [1, 1, 0, 0]) && data[4] >= 3 && data[5...] == [0, 0, 0])
        try await bench.end()
    }

    @Test func proxiesRequestsAndHeaders() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text], services: ["Orders"])
            let plain = try await bench.request("/")
            #expect(plain.status == 200)
            #expect(plain.text == "one")
            let other = try await bench.request(
                "/a%2Fb?c=d&e", authority: "orders", headers: [("x-test", "1"), ("te", "trailers")])
            _ = other
            let echoed = try await bench.request("/headers/a%2Fb?c=d&e", headers: [("x-test", "1")])
            let lines = echoed.text.split(separator: "\n")
            #expect(lines.first == "GET /headers/a%2Fb?c=d&e")
            #expect(lines.contains("x-test: 1"))
            #expect(lines.contains("host: \(origin.text)"))
            #expect(!echoed.text.contains("x-forwarded"))
            let head = try await bench.request("/blob/100000", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.headers.first(name: "content-length") == "100000")
            #expect(head.check.count == 0)
            let chunked = try await bench.request("/chunked/100000")
            #expect(chunked.check.count == 100_000)
            #expect(chunked.check.isEqual)
            #expect(chunked.headers.first(name: "keep-alive") == nil)
            #expect(chunked.headers.first(name: "transfer-encoding") == nil)
            #expect(try await bench.run { $0.function.backend } == "\(origin.text) (1 of 1 up)")
            try await bench.end()
        }
    }

    @Test func movesSixtyFourMiBEachWay() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text])
            let size = 64 << 20
            async let down = bench.request("/blob/\(size)")
            async let up = bench.request("/sink", method: "POST", upload: Upload(size: size))
            #expect(try await down.check.count == size)
            #expect(try await down.check.isEqual)
            #expect(try await up.text == "one \(size) equal")
            let chunked = try await bench.request(
                "/sink", method: "PUT", upload: Upload(size: 5_000_000, announced: false))
            #expect(chunked.text == "one 5000000 equal")
            try await bench.end()
        }
    }

    @Test func servesAHundredAtOnce() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text])
            let good = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        if index % 2 == 0 {
                            let answer = try await bench.request("/blob/\(50_000 + index)")
                            return answer.status == 200 && answer.check.isEqual && answer.check.count == 50_000 + index
                        }
                        let answer = try await bench.request(
                            "/sink", method: "POST", upload: Upload(size: 70_000 + index))
                        return answer.text == "one \(70_000 + index) equal"
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(good == 100)
            try await bench.end()
        }
    }

    @Test func reachesUnixUpstreamAndBasePath() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let path = FileManager.default.temporaryDirectory.appending(path: "2v-\(UUID().uuidString.prefix(8)).sock").path
        let origin = try await OriginServer("unix", on: group, unixPath: path)
        let tcp = try await OriginServer("tcp", on: group)
        let first = try await bench(["unix:\(path)"])
        #expect(try await first.request("/x").text == "unix")
        try await first.end()
        let second = try await bench(["http://\(tcp.text)/headers/base/"])
        #expect(try await second.request("/x?y").text.hasPrefix("GET /headers/base/x?y"))
        try await second.end()
        try await origin.kill()
        try await tcp.kill()
        try await group.shutdownGracefully()
    }

    @Test func losesNoIdempotentRequestWhenAnUpstreamDies() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let stays = try await OriginServer("stays", on: group)
        let dies = try await OriginServer("dies", on: group)
        let bench = try await bench([dies.text, stays.text])
        let answers = try await withThrowingTaskGroup(of: Answer.self) { tasks in
            for worker in 0..<8 {
                tasks.addTask {
                    var last = Answer()
                    for round in 0..<40 {
                        if worker == 0, round == 10 { try await dies.kill() }
                        last = try await bench.request(round % 2 == 0 ? "/blob/20000" : "/")
                        if last.status != 200 || last.isBroken { return last }
                    }
                    return last
                }
            }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 && !$0.isBroken })
        #expect(dies.requests > 0)
        #expect(stays.requests >= 160)
        try await bench.change("down") {
            if case .note(_, let text) = $0 { text.hasPrefix("upstream \(dies.text) down:") } else { false }
        }
        #expect(try await bench.run { $0.function.backend } == "\(dies.text) + 1 more (1 of 2 up)")
        try await bench.end()
        try await stays.kill()
        try await group.shutdownGracefully()
    }

    @Test func saysWhichUpstreamFailedAndRecovers() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let origin = try await OriginServer("first", on: group)
        let port = origin.port
        try await origin.kill()
        let timing = UpstreamCluster.Timing(
            tick: .milliseconds(50), recheck: .milliseconds(500), backOff: .milliseconds(50))
        let bench = try await bench(["127.0.0.1:\(port)"], timing: timing)
        let refused = try await bench.request("/")
        #expect(refused.status == 503)
        #expect(refused.text == "503 upstream 127.0.0.1:\(port): Connection refused\n")
        try await bench.change("trouble") {
            $0 == .trouble(interface: "web", "no upstream is up: 127.0.0.1:\(port): Connection refused")
        }
        #expect(try await bench.request("/sink", method: "POST", upload: Upload(size: 300_000)).status == 503)
        let again = try await OriginServer("second", on: group, port: port)
        try await bench.change("recovered") { $0 == .trouble(interface: "web", nil) }
        #expect(try await bench.request("/").text == "second")
        try await bench.end()
        try await again.kill()
        try await group.shutdownGracefully()
    }

    @Test func refusesWhatTheDeviceWasNotGiven() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text])
            let other = try await bench.request("/", authority: "payroll")
            #expect(other.status == 403)
            #expect(other.text == "403 service 'payroll' was not given to this device\n")
            try await bench.change("403") {
                $0 == .note(interface: "web", "403: guest asked for service 'payroll', which it was not given")
            }
            #expect(try await bench.request("/", authority: nil).status == 400)
            #expect(try await bench.request("", method: "CONNECT").status == 405)
            #expect(try await bench.request("/a#b").status == 400)
            #expect(
                try await bench.request("/", authority: "evil", headers: [], upload: Upload(size: 400_000)).status
                    == 403)
            #expect(origin.requests == 0)
            #expect(try await bench.request("/").status == 200)
            try await bench.end()
        }
    }

    @Test func endsABrokenAnswerVisibly() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text])
            async let answer = bench.request("/half")
            try await bench.until("half an answer is here") { ($0.pipe?.bytesIn ?? 0) > 100_000 }
            try await origin.kill()
            #expect(try await answer.isBroken)
            #expect(try await answer.status == 200)
            try await bench.end()
        }
    }

    @Test func garbageEndsTheSessionAndOpenRecovers() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text], client: false)
            let status = try await bench.run { state in
                var status: TransferStatus?
                let garbage = [UInt8](repeating: 0x55, count: 3000)
                state.guest.submit({ .out($0, state.guest.number(.bulk, .out), data: garbage) }, { status = $0.status })
                return status
            }
            #expect(status == .success)
            try await bench.change("ended") {
                $0 == .note(interface: "web", "HTTP/2 session ended: what the guest sent is not HTTP/2 (no preface)")
            }
            try await bench.run { state in
                // Dropped, not kept for the next session, not left hanging.
                var isTaken = false
                state.guest.submit(
                    { .out($0, state.guest.number(.bulk, .out), data: [1, 2, 3]) }, { _ in isTaken = true })
                #expect(isTaken)
                #expect(state.guest.control(0x41, 1)?.status == .success)
            }
            try await bench.startClient()
            #expect(try await bench.request("/").text == "one")
            try await bench.end()
        }
    }

    @Test func openAndCloseAndReplugCancelUpstreamRequests() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text])
            for round in 0..<3 {
                let seen = origin.requests
                async let held = bench.request("/hold")
                try await bench.until("the request is upstream") { _ in origin.requests == seen + 1 }
                try await bench.run { state in
                    switch round {
                    case 0: #expect(state.guest.control(0x41, 1)?.status == .success)
                    case 1: #expect(state.guest.control(0x41, 2)?.status == .success)
                    default: state.guest.configure(0)
                    }
                }
                try await bench.until("the request was cancelled") { _ in origin.connections == 0 }
                try await bench.run { state in
                    state.client?.close(promise: nil)
                    state.guest.cancelParked()
                    if round == 0 { #expect(state.guest.control(0x41, 1)?.status == .success) }
                    if round == 2 { state.guest.configure(1) }
                }
                #expect(try await held.isBroken)
                try await bench.startClient()
                #expect(try await bench.request("/").text == "one")
                try await bench.until("idle connections are gone") { _ in origin.connections == 0 }
            }
            try await bench.end()
        }
    }

    @Test func slowGuestHoldsTheUpstreamBack() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text])
            #expect(try await bench.request("/").status == 200)
            try await bench.run { $0.pipe?.isPaused = true }
            let size = 32 << 20
            async let answer = bench.request("/blob/\(size)")
            async let second = bench.request("/blob/\(size)")
            // Both streams get what fits, then everything stands still.
            try await bench.until("bytes wait for the guest") { $0.waiting > BulkChannel.endpointMark }
            var most = 0
            for _ in 0..<100 {
                most = max(most, try await bench.run { $0.waiting })
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(most <= BulkChannel.endpointMark + 2 * 65536)
            try await bench.run { $0.pipe?.isPaused = false }
            #expect(try await answer.check.count == size)
            #expect(try await answer.check.isEqual)
            #expect(try await second.check.isEqual)
            try await bench.end()
        }
    }

    @Test func resetFloodEndsTheSessionOnly() async throws {
        try await withOrigin { origin in
            let bench = try await bench([origin.text], client: false)
            try await bench.run { state in
                var flood = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
                // :method GET, :scheme http, :path /, :authority web, then RST_STREAM(CANCEL).
                let block: [UInt8] = [0x82, 0x86, 0x84, 0x01, 3] + Array("web".utf8)
                for index in 0..<2000 {
                    let id = UInt32(2 * index + 1)
                    let stream = [UInt8(id >> 24), UInt8(id >> 16 & 255), UInt8(id >> 8 & 255), UInt8(id & 255)]
                    flood += [0, 0, UInt8(block.count), 1, 5] + stream + block
                    flood += [0, 0, 4, 3, 0] + stream + [0, 0, 0, 8]
                }
                state.guest.submit({ .out($0, state.guest.number(.bulk, .out), data: flood) }, { _ in })
            }
            try await bench.change("ended") {
                $0 == .note(interface: "web", "HTTP/2 session ended: the guest starts and cancels requests too fast")
            }
            try await bench.run { #expect($0.guest.control(0x41, 1)?.status == .success) }
            try await bench.startClient()
            #expect(try await bench.request("/").text == "one")
            try await bench.end()
        }
    }
}

extension Bench.State {
    /// Bytes in the function's IN queue.
    var waiting: Int {
        let endpoints = (guest.port.firmware as? SimulatedDevice)?.endpoints.values
        return endpoints?.first { $0.owner.key == .bulkIn }?.queuedBytes ?? 0
    }
}
