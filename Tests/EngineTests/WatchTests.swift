import ControlProtocol
import TestDirectory
import Testing

@testable import Engine
@testable import Hypervisor

/// Plugging through guests that watch.
@Suite(.timeLimit(.minutes(1)))
struct WatchTests {
    @Test func aPlugIsAnsweredWhenTheGuestHasConfigured() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.engine.snapshot().vm("a")?.attachWay == .watch)
            #expect(await bench.plugByUSBIP() == .done("desk plugged into a over USB/IP, by its watcher"))
            let device = await bench.device()
            #expect(device.state == .plugged)
            #expect(device.guest == .configured)
            #expect(device.attachment?.via == .usbip)
            #expect(device.attachment?.vm == "a")
            #expect(device.export?.importer?.guest == "a")
            try await bench.reaches("port") { $0.attachment?.port == "3" }
            #expect(watcher.orders.contains(.attach(busid: "1-1", name: "desk", speed: "high")))
            #expect(await bench.vms.plugCount == 0)
            #expect(await bench.unplug("desk") == .done("desk unplugged from a"))
            #expect(watcher.orders.contains(.detach(busid: "1-1")))
            #expect(await bench.device().state == .unplugged)
            #expect(await bench.device().export?.importer == nil)
            #expect(await bench.plugByUSBIP().isDone)
            await watcher.breakDown()
        }
    }

    @Test func aGuestThatCannotSaysWhy() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port, .fails("vhci-hcd is not loaded"))
            #expect(await bench.plugByUSBIP() == .failed("a could not attach desk: vhci-hcd is not loaded"))
            #expect(await bench.device().state == .unplugged)
            #expect(await bench.events("plug-failed").count == 1)
            await watcher.close()
        }
    }

    @Test func aGuestThatDoesNothingIsNotWaitedForForEver() async throws {
        try await Bench.exporting(change: { $0.settleSeconds = 0.3 }) { bench, port in
            let watcher = try await bench.watcher(port: port, .ignores)
            #expect(await bench.plugByUSBIP() == .failed("a did not attach it within 0.3 s"))
            let offered1 = try await FakeImporter.list(port: port)
            #expect(offered1 == ["1-1", "1-2"])
            await watcher.close()
        }
    }

    @Test func aWatcherThatGoesInAPlugFailsIt() async throws {
        try await Bench.exporting(change: { $0.settleSeconds = 30 }) { bench, port in
            let watcher = try await bench.watcher(port: port, .ignores)
            async let outcome = bench.plugByUSBIP()
            try await eventually("told") { watcher.orders.contains(.attach(busid: "1-1", name: "desk", speed: "high")) }
            await watcher.close()
            #expect(await outcome == .failed("a could not attach desk: its watcher went away"))
        }
    }

    @Test func withoutWatcherAndAgentTheLineIsTold() async throws {
        try await Bench.exporting { bench, port in
            #expect(
                await bench.plugByUSBIP()
                    == .failed(
                        "nothing in a can be told to attach desk: neither 2virt-guest watch nor a guest agent. "
                            + "Type in the guest: 2virt-guest attach 10.0.2.2:\(port) 1-1"))
            #expect(
                await bench.plugByUSBIP("desk", "nowhere")
                    == .failed(
                        "there is no VM 'nowhere'; found: a; and no guest of that name watches (2virt-guest watch)"))
        }
    }

    @Test func aGuestOfAnotherHostIsListedAndPluggedInto() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher("elsewhere", port: port)
            let guest = try #require(await bench.engine.snapshot().vm("elsewhere"))
            #expect(guest.source == "watch")
            #expect(guest.state == .running)
            #expect(await bench.plugByUSBIP("desk", "elsewhere").isDone)
            await watcher.breakDown()
            try await bench.reaches("waiting") { $0.state == .waiting && $0.operation == nil }
            #expect(await bench.engine.snapshot().vm("elsewhere")?.state == .lost)
            #expect(await bench.unplug("desk").isDone)
            #expect(await bench.engine.snapshot().vm("elsewhere") == nil)
        }
    }

    @Test func aGuestThatDetachesByItselfIsNotGivenItAgain() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            await watcher.giveBack("1-1")
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            #expect(await bench.device().by == "guest")
            #expect(await bench.events("guest-removed").map(\.message) == ["unplugged from a: detached by the guest"])
            #expect(watcher.orders.filter { if case .attach = $0 { true } else { false } }.count == 1)
            // Nor is it by the next watcher.
            let next = try await bench.watcher(port: port)
            #expect(!next.orders.contains { if case .attach = $0 { true } else { false } })
            await watcher.close()
            await next.close()
        }
    }

    @Test func anEndThatNobodyWantedIsMended() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            await watcher.importer("1-1")?.close()
            try await eventually("lost") { await bench.events("import-lost").count == 1 }
            try await bench.reachesPlugged()
            // What its guest then gives back is not mended.
            await watcher.giveBack("1-1")
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            await watcher.close()
        }
    }

    @Test func aReportOfADetachIsEnough() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            watcher.send(.detached(busid: "1-1"))
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            #expect(await bench.device().by == "guest")
            await watcher.close()
        }
    }

    @Test func aBrokenNetworkIsMended() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            await watcher.breakDown()
            try await bench.reaches("waiting") { $0.state == .waiting && $0.operation == nil }
            #expect(await bench.events("import-lost").count == 1)
            // Nobody else gets it meanwhile.
            await bench.engine.flushOffers()
            let offered2 = try await FakeImporter.list(port: port)
            #expect(offered2 == ["1-2"])
            let next = try await bench.watcher(port: port)
            try await bench.reachesPlugged()
            await next.breakDown()
        }
    }

    @Test func aRestartedGuestTakesOverFromItsDeadSelf() async throws {
        try await Bench.exporting { bench, port in
            let dead = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            // The guest is reset: its host keeps the old connections alive, and what comes up knows nothing of them.
            let risen = try await bench.watcher(port: port)
            try await eventually("attached anew") { risen.importer("1-1")?.isOpen == true }
            try await bench.reachesPlugged()
            try await eventually("the old import ended") { dead.importer("1-1")?.isOpen != true }
            try await eventually("replaced") { !dead.isOpen }
            #expect(dead.orders.contains(.refused(reason: "another watcher took the name a")))
            #expect(await bench.events("watcher-replaced").count == 1)
            await risen.breakDown()
        }
    }

    @Test func theNextEngineHasItAttachedAgain() async throws {
        let directory = try TemporaryDirectory()
        try await Bench.exporting(in: directory) { bench, port in
            _ = try await bench.watcher(port: port)
            #expect(await bench.set("desk", "log", .off).isDone)
            #expect(await bench.plugByUSBIP().isDone)
        }
        try await Bench.exporting(in: directory) { bench, port in
            #expect(await bench.device().state == .waiting)
            #expect(await bench.device().export?.busID == "1-1")
            let watcher = try await bench.watcher(port: port)
            try await bench.reachesPlugged()
            #expect(await bench.device().interface("log")?.gate == .off)
            await watcher.breakDown()
        }
    }

    @Test func aSwitchedInterfaceIsSeenAfterADetachAndAnAttach() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            let outcome = await bench.set("desk", "log", .off)
            #expect(outcome.text.hasPrefix("desk/log switched off; siblings were away "))
            try await bench.reachesPlugged()
            let attaches = watcher.orders.filter { if case .attach = $0 { true } else { false } }
            #expect(attaches.count == 2)
            await watcher.breakDown()
        }
    }

    @Test func aStrangerDoesNotGetWhatIsKeptForAGuest() async throws {
        // The address decides, and here all have the same: the test looks at the rule alone.
        #expect(Engine.host(of: "10.0.0.5:41234") == "10.0.0.5")
        #expect(Engine.host(of: "[fd00::1]:3240") == "[fd00::1]")
        #expect(Engine.host(of: "unix:/run/usbip.sock") == nil)
    }

    @Test func aResetGuestGetsItsDevicesAgain() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            await bench.vms.change("a") { $0.lastEvent = "reset by the guest" }
            try await eventually("lost") { await bench.events("import-lost").count == 1 }
            try await bench.reachesPlugged()
            await watcher.breakDown()
        }
    }

    @Test func aVMThatDiesKeepsItsDevices() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            await bench.vms.change("a") { $0.runState = .lost(reason: "QEMU died", since: .now) }
            await watcher.breakDown()
            try await bench.reaches("waiting") { $0.state == .waiting && $0.importer == nil }
            await bench.vms.change("a") { $0.runState = .running }
            let next = try await bench.watcher(port: port)
            try await bench.reachesPlugged()
            await next.breakDown()
        }
    }

    // MARK: Hostile and broken watchers

    static let lies = [
        "{", "{}", "{\"watch\":{}}", "{\"watch\":{\"version\":1}}", "{\"watch\":{\"version\":2,\"guest\":\"a\"}}",
        "{\"watch\":{\"version\":1,\"guest\":\"\"}}", "{\"watch\":{\"version\":1,\"guest\":\"a\\u001b[2J\"}}",
        "{\"watch\":{\"version\":1,\"guest\":\"" + String(repeating: "x", count: 65) + "\"}}",
        "{\"attached\":{\"busid\":\"1-1\",\"port\":0}}", "{\"pong\":{}}",
        "{\"watch\":" + String(repeating: "[", count: 2000) + "}", "{" + String(repeating: "x", count: 5000),
    ]

    @Test(arguments: lies.indices) func aFirstLineThatIsNoneIsRefused(_ index: Int) async throws {
        try await Bench.exporting { bench, port in
            let liar = try await FakeWatcher.connect(port: port)
            liar.send(text: Self.lies[index] + "\n")
            try await eventually("closed") { !liar.isOpen }
            try await eventually("refused") { liar.orders.contains { if case .refused = $0 { true } else { false } } }
            #expect(await bench.engine.watchers.isEmpty)
            try await eventually("event") { await !bench.events("usbip-refused").isEmpty }
            #expect(await bench.engine.snapshot().devices.count == 2)
        }
    }

    @Test func reportsOfOthersDevicesChangeNothing() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            #expect(await bench.plugByUSBIP().isDone)
            let other = try await bench.watcher("b", port: port)
            other.send(.detached(busid: "1-1"))
            other.send(.failed(busid: "1-1", reason: "\u{1B}[2J"))
            other.send(.attached(busid: "1-1", port: -5))
            other.send(.detached(busid: String(repeating: "9", count: 3000)))
            other.send(.pong)
            // Heard when the name is free again.
            await other.close()
            try await eventually("gone") { await bench.engine.watchers["b"] == nil }
            #expect(await bench.device().state == .plugged)
            await watcher.breakDown()
        }
    }

    @Test func aFloodOfReportsEndsTheChannel() async throws {
        try await Bench.exporting { bench, port in
            let watcher = try await bench.watcher(port: port)
            let line = "{\"failed\":{\"busid\":\"1-1\",\"reason\":\"x\"}}\n"
            watcher.send(text: String(repeating: line, count: 200_000))
            try await eventually("cut off") { !watcher.isOpen }
            try await eventually("gone") { await bench.engine.watchers.isEmpty }
            #expect(await bench.plug("desk").isDone)
        }
    }

    @Test func aSilentGuestIsGone() async throws {
        try await Bench.exporting(change: {
            $0.watch = WatchTiming(hello: 0.5, ping: 0.1, silence: 1.5)
        }) { bench, port in
            let mute = try await FakeWatcher.connect(port: port)
            mute.send(text: "{")
            try await eventually("no first line") { !mute.isOpen }
            let answering = try await bench.watcher("b", port: port)
            let silent = try await bench.watcher(port: port, .ignores)
            try await eventually("gone") { await bench.engine.watchers["a"] == nil }
            try await eventually("closed") { !silent.isOpen }
            #expect(answering.isOpen)
            await answering.close()
        }
    }
}
