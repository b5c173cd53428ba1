import ControlProtocol
import Testing
import USBRedirection

@testable import Engine
@testable import Hypervisor

/// Devices that leave without an operator's word, and come back.
@Suite(.timeLimit(.minutes(1)))
struct LeaveTests {
    @Test func configuration0IsTheGuestsFarewell() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            try await #require(await bench.vms.guest()).setConfiguration(0)
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            let device = await bench.device()
            #expect(device.by == "guest")
            #expect(device.reason == "removed by the guest (SET_CONFIGURATION 0)")
            #expect(await bench.vms.unplugged == ["desk"])
            #expect(
                await bench.events("guest-removed").map(\.message)
                    == ["unplugged from a: removed by the guest (SET_CONFIGURATION 0)"])
            #expect(await bench.events("guest-removed").map(\.actor) == ["guest"])
        }
    }

    @Test func passingThroughConfiguration0IsNone() async throws {
        try await Bench.run(change: { $0.farewellSeconds = 0.4 }) { bench in
            await bench.plug("desk")
            let guest = try #require(await bench.vms.guest())
            for _ in 0..<20 { try await guest.send([.setConfiguration(0), .setConfiguration(1)]) }
            try await guest.setConfiguration(0)
            try await bench.reaches("deconfigured") { $0.guest == .deconfigured }
            try await guest.setConfiguration(1)
            try await bench.reaches("configured") { $0.guest == .configured }
            // Past the time of the last farewell, it is still there.
            let left = await bench.engine.wait(for: "desk", seconds: 0.6) { $0.state != .plugged }
            #expect(!left)
            #expect(await bench.vms.unplugged.isEmpty)
        }
    }

    @Test func aFarewellThatQEMUDoesNotCarryOutIsTriedOnce() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.failUnplugs(.notDeleted(vm: "a", qdevID: "ua-2virt-desk", seconds: 10))
            try await #require(await bench.vms.guest()).setConfiguration(0)
            try await bench.reaches("refused") { $0.reason?.hasPrefix("could not be unplugged") == true }
            let again = await bench.engine.wait(for: "desk", seconds: 1) { $0.state == .unplugging }
            #expect(!again)
            #expect(await bench.events("unplug-failed").count == 1)
        }
    }

    static let web = """
        [[device]]
        name = "desk"
        interfaces = [
          { kind = "web-service", name = "web", upstreams = ["127.0.0.1:9"] },
          { kind = "serial", name = "tty", to = "pty" } ]
        """

    /// The vendor request of `2virt-guest release`: wValue 0 is the device, 1 the interface.
    static func release(_ value: UInt16) -> Packet {
        .controlPacket(
            ControlPacket(endpoint: 0, request: 3, requestType: 0x41, value: value, index: 0, length: 0))
    }

    @Test func releaseOfTheDevice() async throws {
        try await Bench.run(devices: Self.web) { bench in
            await bench.plug("desk")
            try await #require(await bench.vms.guest()).send([Self.release(0)])
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            #expect(await bench.device().reason == "released by the guest")
            #expect(await bench.device().by == "guest")
        }
    }

    @Test func releaseOfAnInterface() async throws {
        try await Bench.run(devices: Self.web) { bench in
            await bench.plug("desk")
            let guest = try #require(await bench.vms.guest())
            try await guest.send([Self.release(1)])
            try await bench.reaches("web is off") {
                $0.gates["web"]?.state == .off && $0.guest == .configured && $0.operation == nil
            }
            let device = await bench.device()
            #expect(device.state == .plugged)
            #expect(device.interface("web")?.by == "guest")
            #expect(device.interface("web")?.number == nil)
            #expect(device.interface("tty")?.number == 0)
            #expect(guest.connects == 2)
            #expect(await bench.events("interface-off").map(\.actor) == ["guest"])
        }
    }

    @Test func aWireThatEndsWhileTheVMLivesIsTheHypervisorsDoing() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.disconnectAll()
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            let device = await bench.device()
            #expect(device.by == "hypervisor")
            #expect(device.reason == "QEMU closed the wire")
            #expect(await bench.vms.unplugged == ["desk"])
            #expect(await bench.plug("desk").isDone)
        }
    }

    @Test func aGuestThatSpeaksNonsenseIsTakenOut() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            try await #require(await bench.vms.guest()).sendGarbage()
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            #expect(await bench.device().reason?.hasPrefix("the wire failed: ") == true)
            #expect(await bench.vms.unplugged == ["desk"])
        }
    }

    @Test func aVMThatDiesIsWaitedForAndPluggedAgain() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.plug("pad")
            await bench.vms.disconnectAll()
            await bench.vms.change("a") { $0.runState = .lost(reason: "QEMU died", since: .now) }
            for name in ["desk", "pad"] {
                try await bench.reaches("waiting", name) { $0.state == .waiting }
                let device = await bench.device(name)
                #expect(device.by == "hypervisor")
                #expect(device.reason == "a is gone: lost: QEMU died")
                #expect(device.attachment?.vm == "a")
            }
            #expect(
                await bench.events("vm-lost").map(\.message).first?.hasSuffix("plugged again when it returns") == true)
            #expect(
                await bench.device().interface("tty")?.effect
                    == "off: a does not get it when the device is plugged again")
            await bench.vms.add("a", pid: 101)
            for name in ["desk", "pad"] {
                try await bench.reaches("plugged again", name) { $0.state == .plugged && $0.guest == .configured }
                #expect(await bench.device(name).by == "engine")
            }
        }
    }

    @Test func aVMThatRestartsBetweenTwoLooksIsPluggedAgain() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.disconnectAll()
            await bench.vms.change("a") { $0.pid = 101 }
            try await bench.reaches("plugged again") { $0.generation == 3 && $0.state == .plugged }
            #expect(await bench.vms.plugCount == 2)
        }
    }

    @Test func aVMThatVanishesFromTheListIsWaitedFor() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.remove("a")
            try await bench.reaches("waiting") { $0.state == .waiting }
            #expect(await bench.unplug("desk") == .done("desk no longer waits for a"))
            await bench.vms.add("a")
            try await bench.sees("a")
            #expect(await bench.device().state == .unplugged)
        }
    }

    @Test func oneTryForEachReturn() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.change("a") { $0.runState = .lost(reason: "QEMU died", since: .now) }
            try await bench.reaches("waiting") { $0.state == .waiting }
            await bench.vms.failPlugs(.noController(vm: "a"))
            await bench.vms.change("a") { $0.runState = .running }
            try await bench.reaches("failed") { $0.operation == nil && $0.reason?.contains("controller") == true }
            // CPU use changes the picture each second.
            for percent in 0..<20 {
                await bench.vms.change("a") { $0.cpuPercent = Double(percent) }
                try await eventually("seen") { await bench.engine.vms.first?.cpuPercent == Double(percent) }
            }
            #expect(await bench.vms.plugCount == 2)
            #expect(await bench.events("plug-failed").count == 1)
            #expect(await bench.device().state == .waiting)
            #expect(await bench.engine.snapshot().faults.count == 1)
            await bench.vms.failPlugs(nil)
            await bench.vms.change("a") { $0.runState = .lost(reason: "again", since: .now) }
            try await eventually("lost") { await bench.engine.appearances.isEmpty }
            await bench.vms.change("a") { $0.runState = .running }
            try await bench.reaches("plugged again") { $0.state == .plugged }
        }
    }

    @Test func aDeviceFollowsItsVMNotTheName() async throws {
        try await Bench.run(vm: ["a", "a~2"]) { bench in
            await bench.plug("desk", "a~2")
            await bench.vms.remove("a")
            await bench.vms.change("a~2") { $0.name = "a" }
            try await eventually("renamed") { await bench.device().attachment?.vm == "a" }
            #expect(await bench.device().state == .plugged)
            #expect(await bench.unplug("desk").isDone)
        }
    }
}
