import DequeModule
import NIOPosix
import Synchronization
import Testing
import USBClasses
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(1)))
struct NetworkTests {
    private static let wires: @Sendable () -> Void = {}
    private static let a = MACAddress(device: "a", interface: "nic")
    private static let b = MACAddress(device: "b", interface: "nic")
    private static let c = MACAddress(device: "c", interface: "nic")
    private static let everybody = MACAddress(0xFFFF_FFFF_FFFF)

    private static func frame(_ destination: MACAddress, _ source: MACAddress, size: Int = 60, _ mark: UInt8 = 0)
        -> [UInt8]
    {
        destination.bytes + source.bytes + Array(repeating: mark, count: size - 12)
    }

    private func taken(_ network: VirtualNetwork, _ id: Int, now: Double = 0) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        network.take(id, now: now) {
            frames.append($0)
            return true
        }
        return frames
    }

    private func members(_ network: VirtualNetwork, _ addresses: [MACAddress], any: Bool = false) throws -> [Int] {
        try addresses.map {
            let id = try network.join("\($0)", address: $0, allowsAnySource: any, wake: Self.wires)
            network.set(id, isUp: true, now: 0)
            return id
        }
    }

    @Test func addressesAreStableAndLocal() {
        #expect(Self.a == MACAddress(device: "a", interface: "nic"))
        #expect(Set([Self.a, Self.b, Self.c, MACAddress(device: "an", interface: "ic")]).count == 4)
        #expect(Self.a.bytes[0] == 2 && !Self.a.isMulticast)
        #expect(Self.a.digits.count == 12)
        #expect(MACAddress(Self.a.bytes, at: 0) == Self.a)
        #expect(MACAddress([1, 2], at: 0) == nil)
    }

    @Test func aThirdOfTwoIsRefused() throws {
        let networks = Networks()
        let network = try networks.network("link", .pointToPoint)
        let ids = try members(network, [Self.a, Self.b])
        #expect(throws: CatalogueError.networkFull("link", members: ["\(Self.a)", "\(Self.b)"].sorted())) {
            try network.join("c", address: Self.c, allowsAnySource: false, wake: Self.wires)
        }
        #expect(throws: CatalogueError.networkKind("link", is: "point-to-point")) {
            try networks.network("link", .multipoint)
        }
        network.leave(ids[0])
        #expect(try network.join("c", address: Self.c, allowsAnySource: false, wake: Self.wires) > ids[1])
    }

    /// A full peer holds its sender back, and lets it go on when half has been taken; nothing is lost or changes places.
    @Test func pointToPointLosesNothing() throws {
        let network = VirtualNetwork(name: "link", topology: .pointToPoint)
        let wakes = Mutex(0)
        let sender = try network.join("a", address: Self.a, allowsAnySource: false) { wakes.withLock { $0 += 1 } }
        let receiver = try network.join("b", address: Self.b, allowsAnySource: false, wake: Self.wires)
        network.set(sender, isUp: true, now: 0)
        network.set(receiver, isUp: true, now: 0)
        network.woken(sender)
        wakes.withLock { $0 = 0 }
        var waiting = Deque((0..<1000).map { Self.frame(Self.b, Self.a, size: 1514, UInt8($0 & 0xFF)) })
        let all = Array(waiting)
        waiting.removeFirst(network.send(waiting, from: sender, now: 0))
        #expect(waiting.count > 500)
        #expect(network.send(waiting, from: sender, now: 1) == 0)
        #expect(wakes.withLock { $0 } == 0)
        var received: [[UInt8]] = []
        while received.count < all.count {
            let before = received.count
            received += taken(network, receiver)
            #expect(received.count > before)
            network.woken(sender)
            waiting.removeFirst(network.send(waiting, from: sender, now: 2))
        }
        #expect(received == all)
        #expect(wakes.withLock { $0 } > 0)
        #expect(network.counters(sender).sent == 1000)
        #expect(network.counters(receiver).received == 1000)
        #expect(network.counters(sender).dropped + network.counters(receiver).dropped == 0)
    }

    @Test func aPeerThatIsNotThereHoldsNobodyUp() throws {
        let network = VirtualNetwork(name: "link", topology: .pointToPoint)
        let ids = try members(network, [Self.a, Self.b])
        #expect(network.hasCarrier(ids[0]))
        let frames = Deque((0..<1000).map { _ in Self.frame(Self.b, Self.a, size: 1514) })
        let first = network.send(frames, from: ids[0], now: 0)
        #expect(first < 1000)
        #expect(network.send(frames, from: ids[0], now: VirtualNetwork.patience + 1) == 1000)
        #expect(network.counters(ids[1]).overrun == 1000)
        network.set(ids[1], isUp: false, now: 0)
        #expect(!network.hasCarrier(ids[0]))
        #expect(network.counters(ids[1]).overrun == 1000 + UInt64(first))
        #expect(network.send(frames, from: ids[0], now: 20) == 1000)
        #expect(network.counters(ids[0]).unconnected == 1000)
        network.set(ids[1], isUp: true, now: 21)
        #expect(network.hasCarrier(ids[0]))
        #expect(taken(network, ids[1]).isEmpty, "nothing old")
    }

    @Test func aSwitchSendsToWhomItIsFor() throws {
        let network = VirtualNetwork(name: "lan", topology: .multipoint)
        let other = VirtualNetwork(name: "lan2", topology: .multipoint)
        let ids = try members(network, [Self.a, Self.b, Self.c])
        let stranger = try members(other, [Self.a])
        let direct = Self.frame(Self.b, Self.a)
        #expect(network.send([direct], from: ids[0], now: 0) == 1)
        #expect(ids.map { taken(network, $0) } == [[], [direct], []])
        let broadcast = Self.frame(Self.everybody, Self.b)
        #expect(network.send([broadcast], from: ids[1], now: 0) == 1)
        #expect(ids.map { taken(network, $0) } == [[broadcast], [], [broadcast]])
        #expect(!other.hasFrames(for: stranger[0]))
    }

    @Test func spoofedAddressesAreDropped() throws {
        let network = VirtualNetwork(name: "lan", topology: .multipoint)
        let ids = try members(network, [Self.a, Self.b])
        #expect(network.send([Self.frame(Self.b, Self.c), Self.frame(Self.b, Self.b)], from: ids[0], now: 0) == 2)
        #expect(network.counters(ids[0]).spoofed == 2)
        #expect(taken(network, ids[1]).isEmpty)
        // A bridge may send for others, except for other members.
        let bridge = try network.join("bridge", address: Self.c, allowsAnySource: true, wake: Self.wires)
        network.set(bridge, isUp: true, now: 0)
        let far = MACAddress(0x0600_0000_0001)
        #expect(network.send([Self.frame(Self.b, far), Self.frame(Self.b, Self.a)], from: bridge, now: 0) == 2)
        #expect(network.counters(bridge).spoofed == 1)
        #expect(taken(network, ids[1]).count == 1)
        // What it has learnt it does not flood.
        #expect(network.send([Self.frame(far, Self.a)], from: ids[0], now: 1) == 1)
        #expect(taken(network, bridge).count == 1)
        #expect(taken(network, ids[1]).isEmpty)
    }

    @Test func stormsEnd() throws {
        let network = VirtualNetwork(name: "lan", topology: .multipoint)
        let ids = try members(network, [Self.a, Self.b])
        let storm = Deque(repeating: Self.frame(Self.everybody, Self.a, size: 14), count: 5000)
        #expect(network.send(storm, from: ids[0], now: 0) == 5000)
        #expect(network.counters(ids[0]).storm == 3000)
        #expect(network.send(storm, from: ids[0], now: 0.5) == 5000)
        #expect(network.counters(ids[0]).storm == 7000)
    }

    @Test func aSlowMemberHoldsUpNobodyElse() throws {
        let network = VirtualNetwork(name: "lan", topology: .multipoint)
        let ids = try members(network, [Self.a, Self.b, Self.c])
        let frames = Deque(repeating: Self.frame(Self.b, Self.a, size: 1514), count: 1000)
        #expect(network.send(frames, from: ids[0], now: 0) == 1000)
        let kept = taken(network, ids[1]).count
        #expect(kept < 1000)
        #expect(network.counters(ids[1]).overrun == UInt64(1000 - kept))
        #expect(network.send([Self.frame(Self.c, Self.a)], from: ids[0], now: 0) == 1)
        #expect(taken(network, ids[2]).count == 1)
    }

    @Test func theTableIsBoundedAndForgets() {
        var table = ForwardingTable()
        for number in 0..<5000 { table.learn(MACAddress(UInt64(number)), at: 1, now: 0) }
        #expect(table.count == ForwardingTable.capacity)
        #expect(table.member(of: MACAddress(5), now: 1) == 1)
        #expect(table.member(of: MACAddress(5), now: ForwardingTable.lifetime) == nil)
        table.learn(MACAddress(9999), at: 2, now: ForwardingTable.lifetime)
        #expect(table.count == 1)
        table.forget(member: 2)
        #expect(table.count == 0)
    }

    // MARK: The function

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

        let frames = (0..<40).map { Self.frame(Self.b, Self.a, size: 1000, UInt8($0)) }
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
