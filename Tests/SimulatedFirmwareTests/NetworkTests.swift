import DequeModule
import Synchronization
import Testing

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
}
