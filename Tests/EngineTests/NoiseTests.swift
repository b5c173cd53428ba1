import ControlProtocol
import Testing
import USBRedirection

@testable import Engine
@testable import Hypervisor

/// Guests and VMs that make more noise than anybody wants to hear.
@Suite(.timeLimit(.minutes(1)))
struct NoiseTests {
    @Test func aBudgetLetsABurstThroughAndCountsTheRest() {
        var budget = EventBudget()
        for _ in 0..<20 { #expect(budget.take(at: 100) == 0) }
        for _ in 0..<50 { #expect(budget.take(at: 100) == nil) }
        #expect(budget.take(at: 101) == 50)
        #expect(budget.take(at: 101) == nil)
        // A clock that goes back gives nothing.
        #expect(budget.take(at: 50) == nil)
        #expect(budget.take(at: 200) == 2)
    }

    @Test func aNoisyDeviceLosesItsOwnNoiseOnly() {
        let inbox = SignalInbox()
        inbox.post(DeviceSignal(device: "pad", generation: 1, kind: .linkClosed("x")))
        inbox.post(DeviceSignal(device: "desk", generation: 1, kind: .connected(.high)))
        for number in 0..<10_000 {
            inbox.post(DeviceSignal(device: "desk", generation: 1, kind: .note(interface: "tty", "\(number)")))
            inbox.post(DeviceSignal(device: "desk", generation: 1, kind: .configured(UInt8(number % 2))))
        }
        let signals = inbox.drain()
        #expect(signals.count == SignalInbox.limit + 1)
        #expect(signals.contains { $0.device == "pad" })
        let desk = signals.filter { $0.device == "desk" }
        #expect(desk.first?.kind == .connected(.high))
        #expect(desk.last?.kind == .configured(1))
        #expect(desk.contains { $0.kind == .note(interface: "tty", "9999") })
        #expect(inbox.drain().isEmpty)
    }

    @Test func aGuestThatTogglesItsConfigurationIsFollowedToTheEnd() async throws {
        // Longer than a busy machine may leave it at 0 in between.
        try await Bench.run(change: { $0.farewellSeconds = 3 }) { bench in
            await bench.plug("desk")
            let guest = try #require(await bench.vms.guest())
            for _ in 0..<20 {
                try await guest.send(
                    (0..<100).flatMap { _ in [Packet.setConfiguration(0), .setConfiguration(1)] })
            }
            try await guest.setConfiguration(0)
            try await bench.reaches("the last word", within: 20) { $0.state == .unplugged }
            #expect(await bench.events().count < 60)
        }
    }

    @Test func notesOfAGuestAreBounded() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            for number in 0..<500 {
                await bench.engine.take(
                    DeviceSignal(device: "desk", generation: 0, kind: .note(interface: "tty", "\(number)")))
            }
            let notes = await bench.events("note")
            #expect((20...25).contains(notes.count))
            #expect(notes.allSatisfy { $0.actor == "device" })
        }
    }

    @Test func aStaleWireIsNotHeard() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.unplug("desk")
            await bench.plug("desk")
            for kind: DeviceSignal.Kind in [.linkClosed("old"), .rejected("old"), .configured(0), .disconnected] {
                await bench.engine.take(DeviceSignal(device: "desk", generation: 1, kind: kind))
            }
            let device = await bench.device()
            #expect(device.state == .plugged)
            #expect(device.guest == .configured)
        }
    }

    @Test func aRunningVMShowsNoReasonButOneThatMatters() async throws {
        try await Bench.run { bench in
            for (event, shown) in [("connected", nil), ("resumed", nil), ("guest panicked", "guest panicked")]
                as [(String, String?)]
            {
                await bench.vms.change("a") { $0.lastEvent = event }
                try await eventually(event) { await bench.engine.vms.first?.lastEvent == event }
                #expect(await bench.engine.snapshot().vm("a")?.reason == shown)
            }
            #expect(await bench.events("vm-event").map(\.message) == ["guest panicked"])
        }
    }
}
