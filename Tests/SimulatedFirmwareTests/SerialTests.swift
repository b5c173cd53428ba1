import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing
import USBClasses
import USBCore

@testable import SimulatedFirmware
@testable import USBDevice

@Suite(.serialized, .timeLimit(.minutes(2)))
struct SerialTests {
    private static func path() -> String {
        FileManager.default.temporaryDirectory.appending(path: "2v-\(UUID().uuidString.prefix(8)).sock").path
    }

    private func bench(_ target: String, speed: Speed = .high) async throws -> Bench {
        let spec = try InterfaceSpec.serial(name: "tty", to: target)
        let bench = try await Bench(speed: speed) { loop in
            try Catalogue.makeFunction(spec, eventLoop: loop, logger: .test)
        }
        try await bench.run { $0.guest.configure() }
        return bench
    }

    // MARK: Declaration and control

    @Test func declaresAbstractControlModel() async throws {
        let bench = try await bench("pty")
        try await bench.run { state in
            let configuration = try #require(state.guest.configuration)
            let association = try #require(configuration.associations.first)
            #expect(
                [association.functionClass, association.functionSubClass, association.functionProtocol] == [2, 2, 1])
            #expect(configuration.interfaces.map(\.interfaceClass) == [0x02, 0x0A])
            #expect(
                configuration.interfaces[0].classDescriptors == [
                    [5, 0x24, 0, 0x20, 1], [5, 0x24, 1, 0, 1], [4, 0x24, 2, 6], [5, 0x24, 6, 0, 1],
                ])
            #expect(configuration.interfaces.map(\.endpoints.count) == [1, 2])
            #expect(state.function.backend.hasPrefix("pty /dev/pts/"))
        }
        try await bench.end()
    }

    @Test func answersLineRequests() async throws {
        let bench = try await bench("pty")
        let coding: [UInt8] = [0x80, 0x25, 0, 0, 2, 2, 7]
        try await bench.run { state in
            #expect(state.guest.control(0xA1, 0x21, length: 7)?.data == [0, 0xC2, 1, 0, 0, 0, 8])
            #expect(state.guest.control(0x21, 0x20, data: coding)?.status == .success)
            #expect(state.guest.control(0xA1, 0x21, length: 7)?.data == coding)
            #expect(state.guest.control(0x21, 0x20, data: Array(coding.dropLast()))?.status == .stall)
            #expect(state.guest.control(0x21, 0x20, data: [0, 0, 0, 0, 9, 9, 9])?.status == .stall)
            #expect(state.guest.control(0x21, 0x22, value: 3)?.status == .success)
            #expect(state.guest.control(0x21, 0x22, value: 2)?.status == .success)
            #expect(state.guest.control(0x21, 0x23, value: 250)?.status == .success)
            // Not a request of the data interface, not a request at all.
            #expect(state.guest.control(0x21, 0x22, value: 3, index: 1)?.status == .stall)
            #expect(state.guest.control(0xA1, 0x7F, length: 7)?.status == .stall)
        }
        for text in ["9600 7E2", "DTR on, RTS on", "DTR off", "break 250 ms"] {
            try await bench.change(text) { $0 == .note(interface: "tty", text) }
        }
        try await bench.end()
    }

    @Test func serialStateFollowsTheClient() async throws {
        let path = Self.path()
        let bench = try await bench("unix:\(path)")
        let states = Mutex<[UInt8]>([])
        try await bench.run { state in
            let number = state.guest.number(.interrupt, .in)
            func park() {
                state.guest.submit({ .in($0, number, length: 16) }) { completion in
                    guard completion.status == .success else { return }
                    #expect(Array(completion.data.prefix(8)) == [0xA1, 0x20, 0, 0, 0, 0, 2, 0])
                    states.withLock { $0.append(completion.data[8]) }
                    park()
                }
            }
            park()
        }
        let client = try await SocketClient(path)
        try await bench.until("DCD on") { _ in states.withLock { $0 } == [0, 3] }
        #expect(try await bench.run { $0.function.backend } == "unix:\(path) (connected)")
        client.close()
        try await bench.until("DCD off") { _ in states.withLock { $0 } == [0, 3, 0] }
        #expect(try await bench.run { $0.function.backend } == "unix:\(path) (nobody connected)")
        try await bench.end()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    // MARK: Bytes

    @Test(arguments: ["pty", "unix", "tcp"])
    func movesBytesBothWaysAtOnceWithSlowReaders(kind: String) async throws {
        let path = Self.path()
        let port = try SocketClient.freePort()
        let bench = try await bench(kind == "unix" ? "unix:\(path)" : kind == "tcp" ? "tcp:127.0.0.1:\(port)" : "pty")
        let backend = try await bench.run { $0.function.backend }
        let size = 1_000_000
        let client =
            switch kind {
            case "unix": try await SocketClient(path)
            case "tcp": try await SocketClient(port: port)
            default: try await SocketClient(terminal: String(backend.dropFirst(4)))
            }
        let guestGot = GuestBytes()
        try await bench.run { state in
            guestGot.start(state.guest, slowEvery: 16)
            GuestWriter(state.guest, Pattern.array(size)).start()
        }
        async let wrote: Void = client.write(Pattern.array(size))
        let got = try await client.read(size, slowEvery: 64)
        try await wrote
        #expect(got.count == size)
        #expect(got == Pattern.array(size))
        try await bench.until("the guest has all") { _ in guestGot.count >= size }
        #expect(guestGot.bytes == Pattern.array(size))
        client.close()
        try await bench.end()
    }

    @Test func ptySurvivesProgramsComingAndGoing() async throws {
        let bench = try await bench("pty")
        let path = try await bench.run { String($0.function.backend.dropFirst(4)) }
        for round in 0..<3 {
            let client = try await SocketClient(terminal: path)
            try await client.write(Array("to guest \(round)".utf8))
            let guestGot = GuestBytes()
            try await bench.run { guestGot.start($0.guest, slowEvery: 0) }
            let expected = Array("to guest \(round)".utf8)
            try await bench.until("the guest has it") { _ in guestGot.bytes == expected }
            try await bench.run { state in
                guestGot.stop(state.guest)
                state.guest.submit({ .out($0, state.guest.number(.bulk, .out), data: Array("to host".utf8)) }, { _ in })
            }
            #expect(try await client.read(7, slowEvery: 0) == Array("to host".utf8))
            client.close()
        }
        try await bench.end()
    }

    @Test func servesOneClientAfterAnotherAndKeepsWhatCameBefore() async throws {
        let path = Self.path()
        let bench = try await bench("unix:\(path)")
        let taken = Mutex(0)
        let pieces = 40
        try await bench.run { state in
            for index in 0..<pieces {
                let bytes = [UInt8](repeating: UInt8(index), count: 4096)
                state.guest.submit({ .out($0, state.guest.number(.bulk, .out), data: bytes) }) { completion in
                    if completion.status == .success { taken.withLock { $0 += 1 } }
                }
            }
        }
        // The backlog holds 64 KiB, then the guest waits.
        #expect(taken.withLock { $0 } == 16)
        let first = try await SocketClient(path)
        let second = try await SocketClient(path)
        let got = try await first.read(pieces * 4096, slowEvery: 0)
        #expect(got == (0..<pieces).flatMap { [UInt8](repeating: UInt8($0), count: 4096) })
        #expect(taken.withLock { $0 } == pieces)
        try await second.write(Array("second".utf8))
        let guestGot = GuestBytes()
        try await bench.run { guestGot.start($0.guest, slowEvery: 0) }
        try await first.write(Array("first".utf8))
        try await bench.until("first is served") { _ in guestGot.bytes == Array("first".utf8) }
        first.close()
        try await bench.until("second is served") { _ in guestGot.bytes == Array("firstsecond".utf8) }
        second.close()
        try await bench.end()
    }

    @Test func halfClosedClientStillReceives() async throws {
        let path = Self.path()
        let bench = try await bench("unix:\(path)")
        let client = try await SocketClient(path)
        try await client.write(Array("question".utf8))
        client.endWriting()
        let guestGot = GuestBytes()
        try await bench.run { guestGot.start($0.guest, slowEvery: 0) }
        try await bench.until("the guest has it") { _ in guestGot.bytes == Array("question".utf8) }
        try await bench.run { state in
            state.guest.submit({ .out($0, state.guest.number(.bulk, .out), data: Array("answer".utf8)) }, { _ in })
        }
        #expect(try await client.read(6, slowEvery: 0) == Array("answer".utf8))
        // Until the next client is served, the first one is the one to write to.
        try await bench.change("first client") { $0 == .note(interface: "tty", "host side connected") }
        client.close()
        let next = try await SocketClient(path)
        try await bench.change("next client") { $0 == .note(interface: "tty", "host side connected") }
        try await bench.run { state in
            state.guest.submit({ .out($0, state.guest.number(.bulk, .out), data: Array("next".utf8)) }, { _ in })
        }
        #expect(try await next.read(4, slowEvery: 0) == Array("next".utf8))
        next.close()
        try await bench.end()
    }

    @Test func bytesTheGuestHadNotTakenSurviveABlink() async throws {
        let path = Self.path()
        let bench = try await bench("unix:\(path)")
        let client = try await SocketClient(path)
        let all = Pattern.array(200_000)
        async let wrote: Void = client.write(all)
        let guestGot = GuestBytes()
        try await bench.until("bytes wait") { $0.serialWaiting > 0 }
        for step in 1...5 {
            try await bench.run { state in
                // An odd size, so that a blink cuts through what was handed over.
                guestGot.take(state.guest, 777 * step)
                state.guest.port.disconnect()
                try state.guest.port.connect(to: state.guest, speed: .high)
                state.guest.configure()
            }
            try await bench.until("bytes wait again") { $0.serialWaiting > 0 }
        }
        try await bench.run { guestGot.start($0.guest, slowEvery: 0) }
        try await bench.until("the guest has all") { _ in guestGot.count >= all.count }
        try await wrote
        #expect(guestGot.bytes == all)
        client.close()
        try await bench.end()
    }

    @Test func slowGuestHoldsTheClientBack() async throws {
        let path = Self.path()
        let bench = try await bench("unix:\(path)")
        let client = try await SocketClient(path)
        async let wrote: Void = client.write(Pattern.array(4_000_000))
        try await bench.until("bytes wait") { $0.serialWaiting > 0 }
        var most = 0
        for _ in 0..<40 {
            most = max(most, try await bench.run { $0.serialWaiting })
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(most <= 32768)
        let guestGot = GuestBytes()
        try await bench.run { guestGot.start($0.guest, slowEvery: 0) }
        try await wrote
        try await bench.until("the guest has all") { _ in guestGot.count == 4_000_000 }
        client.close()
        try await bench.end()
    }
}

extension Bench.State {
    /// Bytes in the function's IN queue.
    var serialWaiting: Int {
        let endpoints = (guest.port.firmware as? SimulatedDevice)?.endpoints.values
        return endpoints?.first { $0.owner.key == .bulkIn }?.queuedBytes ?? 0
    }
}
