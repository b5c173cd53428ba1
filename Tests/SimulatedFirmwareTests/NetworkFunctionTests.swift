import Synchronization
import Testing
import USBClasses
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(1)))
struct NetworkFunctionTests {
    /// Two devices on loops of their own: descriptors, requests, carrier, frames both ways.
    @Test func carriesFramesBetweenTwoGuests() async throws {
        let networks = Networks()
        let target = try NetworkTarget(topology: .pointToPoint, network: "link", sources: nil, uplink: nil)
        let benches = try await [
            Bench {
                try NetworkFunction(name: "nic", device: "a", target: target, networks: networks, eventLoop: $0)
            },
            Bench {
                try NetworkFunction(name: "nic", device: "b", target: target, networks: networks, eventLoop: $0)
            },
        ]
        let notices = Mutex<[[UInt8]]>([])
        for (index, bench) in benches.enumerated() {
            try await bench.run { state in
                let guest = state.guest
                guest.configure()
                let interfaces = try #require(guest.configuration?.interfaces)
                #expect(interfaces.map(\.interfaceClass) == [2, 10, 10])
                #expect(interfaces[0].interfaceSubClass == 0x0D)
                #expect(interfaces.map(\.endpoints.count) == [1, 0, 2])
                let string = interfaces[0].classDescriptors[2][3]
                let text = guest.control(0x80, 6, value: 0x0300 | UInt16(string), index: 0x0409, length: 255)?.data
                let digits = MACAddress(device: index == 0 ? "a" : "b", interface: "nic").digits
                #expect(text?.dropFirst(2).filter { $0 != 0 } == Array(digits.utf8)[...])

                #expect(guest.control(0xA1, 0x80, length: 28)?.data == NCM.parameters)
                #expect(guest.control(0xA1, 0x83, length: 2)?.data == [0, 0])
                #expect(guest.control(0x21, 0x84, value: 2)?.status == .stall)
                #expect(guest.control(0x21, 0x84, value: 1)?.status == .success)
                #expect(guest.control(0x21, 0x84, value: 0)?.status == .success)
                #expect(guest.control(0x21, 0x8A, value: 0)?.status == .success)
                #expect(guest.control(0xA1, 0x89, length: 2)?.data == [0, 0])
                #expect(guest.control(0x21, 0x43, value: 0x0C)?.status == .success)
                #expect(guest.control(0xA1, 0x87, length: 2)?.data == [0xEA, 5])
                #expect(guest.control(0x21, 0x88, data: [0xEB, 5])?.status == .stall)
                #expect(guest.control(0x21, 0x99)?.status == .stall)
                for bad in [[], [0, 0x40], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 0x80, 0, 0]] as [[UInt8]] {
                    #expect(guest.control(0x21, 0x86, data: bad)?.status == .stall)
                }
                // Alternate setting 1, then, as Linux does, the input size.
                #expect(guest.control(0x01, 11, value: 1, index: 1)?.status == .success)
                #expect(guest.control(0x21, 0x86, data: [0, 0x40, 0, 0])?.status == .success)
                #expect(guest.control(0xA1, 0x85, length: 4)?.data == [0, 0x40, 0, 0])
                #expect(guest.control(0x21, 0x84, value: 1)?.status == .stall)
            }
        }
        func notice(of bench: Bench) async throws -> [UInt8] {
            notices.withLock { $0 = [] }
            try await bench.run { state in
                let number = state.guest.number(.interrupt, .in)
                state.guest.submit({ .in($0, number, length: 16) }) { done in notices.withLock { $0.append(done.data) }
                }
            }
            try await bench.until("a notification") { _ in notices.withLock { !$0.isEmpty } }
            return notices.withLock { $0[0] }
        }
        // The first one's link came with the second one.
        #expect(try await notice(of: benches[0]).prefix(2) == [0xA1, 0x2A])
        #expect(try await notice(of: benches[0]) == NCM.networkConnection(true, interface: 0))

        let frames = (0..<40).map { Array(repeating: UInt8(2), count: 12) + Array(repeating: UInt8($0), count: 988) }
        let received = Mutex<[[UInt8]]>([])
        try await benches[1].run { state in
            let number = state.guest.number(.bulk, .in)
            for _ in 0..<40 {
                state.guest.submit({ .in($0, number, length: 16384) }) { done in
                    #expect(done.data.count <= 16384)
                    let block = NTBParser().parse(done.data)
                    received.withLock { $0 += block.frames }
                }
            }
        }
        try await benches[0].run { state in
            let number = state.guest.number(.bulk, .out)
            for start in stride(from: 0, to: frames.count, by: 10) {
                var builder = NTBBuilder(capacity: 16384, sequence: 0)
                for frame in frames[start..<start + 10] {
                    let fits1 = builder.add(frame)
                    #expect(fits1)
                }
                let block = builder.finish(packetSize: 512)
                state.guest.submit({ .out($0, number, data: block) }) { #expect($0.status == .success) }
            }
            // Garbage between blocks is counted.
            state.guest.submit({ .out($0, number, data: [1, 2, 3]) }) { #expect($0.status == .success) }
        }
        try await benches[1].until("all frames") { _ in received.withLock { $0.count } == frames.count }
        #expect(received.withLock { $0 } == frames)
        try await benches[0].run { state in
            #expect(state.function.backend.contains("40 out, 1 dropped (1 malformed)"))
            #expect(state.function.backend.contains("network link with b/nic;"))
        }
        // The second one's guest lets go of its interface.
        try await benches[1].run { #expect($0.guest.control(0x01, 11, value: 0, index: 1)?.status == .success) }
        try await benches[0].change("no carrier") { $0 == .note(interface: "nic", "no carrier") }
        #expect(try await notice(of: benches[0]) == NCM.networkConnection(false, interface: 0))
        for bench in benches { try await bench.end() }
    }
}
