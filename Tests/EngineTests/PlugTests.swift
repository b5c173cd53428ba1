import ControlProtocol
import Testing

@testable import Engine
@testable import Hypervisor

@Suite(.timeLimit(.minutes(1)))
struct PlugTests {
    @Test func plugAnswersWhenTheGuestHasConfigured() async throws {
        try await Bench.run { bench in
            let outcome = await bench.plug("desk")
            #expect(outcome == .done("desk plugged into a, xhci.0 port 1, high speed"))
            let device = await bench.device()
            #expect(device.state == .plugged)
            #expect(device.guest == .configured)
            #expect(device.by == "op")
            #expect(device.reason == nil)
            #expect(
                device.attachment
                    == Attachment(vm: "a", via: .usbredir, controller: "xhci.0", port: "1", speed: "high"))
            #expect(await bench.unplug("desk") == .done("desk unplugged from a"))
            let after = await bench.device()
            #expect(after.state == .unplugged)
            #expect(after.guest == .absent)
            #expect(after.attachment == nil)
            #expect(await bench.vms.unplugged == ["desk"])
        }
    }

    @Test func aGuestThatDoesNothingIsToldOf() async throws {
        try await Bench.run(change: { $0.settleSeconds = 0.2 }) { bench in
            await bench.vms.set(.ignores)
            let outcome = await bench.plug("desk")
            #expect(
                outcome
                    == .done(
                        "desk plugged into a, xhci.0 port 1, high speed; the guest has not configured it within 0.2 s; is its operating system up?"
                    ))
            #expect(await bench.device().guest == .attached)
            // It comes up at last.
            try await #require(await bench.vms.guest()).setConfiguration(1)
            try await bench.reaches("configured") { $0.guest == .configured }
            #expect(await bench.device().reason == nil)
        }
    }

    @Test func aPausedVMIsNotWaitedFor() async throws {
        try await Bench.run(change: { $0.settleSeconds = 30 }) { bench in
            await bench.vms.set(.silent)
            await bench.vms.change("a") { $0.runState = .paused(reason: "paused") }
            try await eventually("paused") { await bench.engine.isPaused("qmp:/run/a.qmp") }
            let outcome = await bench.plug("desk")
            #expect(
                outcome.text
                    == "desk plugged into a, xhci.0 port 1, high speed; the guest is paused and sees it when it continues"
            )
            #expect(await bench.unplug("desk").isDone)
        }
    }

    @Test func refusals() async throws {
        try await Bench.run { bench in
            #expect(await bench.plug("nib") == .failed("there is no device 'nib'; known: desk, pad"))
            #expect(await bench.plug("desk", "z\u{1B}[2J") == .failed("there is no VM 'z[2J'; found: a"))
            #expect(await bench.unplug("desk") == .failed("desk is not plugged"))
            #expect(
                await bench.engine.perform(.plug(device: "desk", vm: "a", via: .usbip), actor: "op")
                    == .failed("there is no USB/IP exporter: name addresses in the configuration, [usbip] listen"))
            await bench.plug("desk")
            #expect(await bench.plug("desk") == .failed("desk is plugged in a already; unplug it there first"))
            #expect(await bench.unplug("desk").isDone)
            #expect(await bench.unplug("desk") == .failed("desk is not plugged"))
        }
    }

    @Test func aPlugThatFailsLeavesNothing() async throws {
        try await Bench.run { bench in
            await bench.vms.failPlugs(.noController(vm: "a"))
            let reason = "VM a has no USB controller: start it with -device qemu-xhci,id=xhci"
            #expect(await bench.plug("desk") == .failed(reason))
            let device = await bench.device()
            #expect(device.state == .unplugged)
            #expect(device.reason == reason)
            #expect(device.attachment == nil)
            #expect(await bench.events("plug-failed").map(\.message) == [reason])
            await bench.vms.failPlugs(nil)
            #expect(await bench.plug("desk").isDone)
        }
    }

    @Test func aSecondCommandIsToldWhoIsAtIt() async throws {
        try await Bench.run { bench in
            let (held, release) = AsyncStream.makeStream(of: Void.self)
            await bench.vms.whenPlugging { for await _ in held { return } }
            async let first = bench.plug("desk")
            try await bench.reaches("plugging") { $0.state == .plugging }
            let busy = Outcome.failed("desk is being plugged into a by op; try again when that is done")
            #expect(await bench.plug("desk") == busy)
            #expect(await bench.unplug("desk") == busy)
            #expect(await bench.set("desk", "tty", .off) == busy)
            #expect(await bench.device().interface("tty")?.effect == "not now: desk is being plugged into a by op")
            // Another device is nobody's business.
            await bench.vms.whenPlugging(nil)
            #expect(await bench.plug("pad").isDone)
            release.finish()
            #expect(await first.isDone)
            #expect(await bench.unplug("desk").isDone)
        }
    }

    @Test func aRejectedDeviceIsTakenOutAndStaysRejected() async throws {
        try await Bench.run { bench in
            await bench.vms.set(.rejects)
            let reason = "the VM's controller or its device filter does not take it"
            #expect(await bench.plug("desk") == .failed("a rejected desk: \(reason)"))
            let device = await bench.device()
            #expect(device.state == .rejected)
            #expect(device.reason == reason)
            #expect(device.attachment?.vm == "a")
            #expect(await bench.vms.unplugged == ["desk"])
            #expect(await bench.events("rejected").count == 1)
            #expect(await bench.engine.snapshot().faults.map(\.message) == [reason])
            // The operator may try again.
            await bench.vms.set(.configures)
            #expect(await bench.plug("desk").isDone)
            #expect(await bench.engine.snapshot().faults.isEmpty)
        }
    }

    @Test func aRejectionLaterIsCleanedUp() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            try await #require(await bench.vms.guest()).send([.filterReject])
            try await bench.reaches("taken out") { $0.state == .rejected && $0.port == nil && $0.operation == nil }
            #expect(await bench.vms.unplugged == ["desk"])
            #expect(await bench.unplug("desk").isDone)
            #expect(await bench.device().state == .unplugged)
        }
    }

    @Test func aWireThatClosesAtOnceFailsThePlug() async throws {
        try await Bench.run(change: { $0.settleSeconds = 30 }) { bench in
            await bench.vms.set(.closes)
            #expect(await bench.plug("desk") == .failed("a let go of it at once: QEMU closed the wire"))
            let device = await bench.device()
            #expect(device.state == .unplugged)
            #expect(await bench.vms.unplugged == ["desk"])
        }
    }

    @Test func aVMThatDiesInAPlugFailsItAtOnce() async throws {
        try await Bench.run(change: { $0.settleSeconds = 30 }) { bench in
            await bench.vms.set(.ignores)
            async let outcome = bench.plug("desk")
            try await bench.reaches("attached") { $0.guest == .attached && $0.port != nil }
            await bench.vms.change("a") { $0.runState = .lost(reason: "QEMU died", since: .now) }
            await bench.vms.disconnectAll()
            #expect(await outcome.text.hasPrefix("a went away meanwhile: "))
            let device = await bench.device()
            #expect(device.state == .unplugged)
            #expect(device.guest == .absent)
            #expect(await bench.engine.devices.allSatisfy { $0.operation == nil })
        }
    }

    @Test func anUnplugThatFailsLeavesItPlugged() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.failUnplugs(.notDeleted(vm: "a", qdevID: "ua-2virt-desk", seconds: 10))
            let reason = "VM a did not delete ua-2virt-desk within 10 s; it may still be plugged"
            #expect(await bench.unplug("desk") == .failed(reason))
            let device = await bench.device()
            #expect(device.state == .plugged)
            #expect(device.guest == .configured)
            #expect(device.reason == "could not be unplugged: \(reason)")
            #expect(await bench.events("unplug-failed").map(\.severity) == [.fault])
            await bench.vms.failUnplugs(nil)
            #expect(await bench.unplug("desk").isDone)
        }
    }

    @Test func anUnplugFromAVMThatDiesSucceeds() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            await bench.vms.failUnplugs(.notControllable(vm: "a", reason: "lost"))
            async let outcome = bench.unplug("desk")
            try await bench.reaches("unplugging") { $0.state == .unplugging }
            await bench.vms.change("a") { $0.runState = .lost(reason: "QEMU died", since: .now) }
            #expect(await outcome.isDone)
            #expect(await bench.device().state == .unplugged)
        }
    }
}
