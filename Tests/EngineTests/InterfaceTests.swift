import ControlProtocol
import Testing

@testable import Engine
@testable import Hypervisor

@Suite(.timeLimit(.minutes(1)))
struct InterfaceTests {
    @Test func offAndOnReenumerate() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            let guest = try #require(await bench.vms.guest())
            let outcome = await bench.set("desk", "log", .off)
            #expect(outcome.text.hasPrefix("desk/log switched off; siblings were away "))
            #expect(guest.interfaceCounts == [4, 2])
            #expect(await bench.device().interface("log")?.gate == .off)
            #expect(
                await bench.device().interface("tty")?.effect
                    == "cannot be switched off: it is the last interface; unplug the device instead (u)")
            #expect(
                await bench.set("desk", "tty", .off)
                    == .failed("tty is the last interface of desk; unplug the device instead"))
            #expect(await bench.set("desk", "log", .off) == .done("desk/log is off already"))
            #expect(await bench.set("desk", "log", .on).isDone)
            #expect(guest.interfaceCounts == [4, 2, 4])
            #expect(await bench.device().guest == .configured)
        }
    }

    @Test func muteBlinksNothing() async throws {
        try await Bench.run { bench in
            await bench.plug("desk")
            let guest = try #require(await bench.vms.guest())
            #expect(await bench.set("desk", "tty", .muted) == .done("desk/tty switched muted"))
            #expect(
                await bench.device().interface("tty")?.effect
                    == "on: a /dev/ttyACM port answers the guest again; nothing else blinks")
            #expect(await bench.set("desk", "tty", .on) == .done("desk/tty switched on"))
            #expect(guest.connects == 1)
        }
    }

    @Test func refusals() async throws {
        let devices = """
            [[device]]
            name = "desk"
            interfaces = [ { kind = "serial", name = "tty", to = "pty" }, { kind = "service-directory", name = "keys" } ]
            [[device]]
            name = "mux"
            firmware = "/x.bin"
            board = "stm32f042"
            """
        try await Bench.run(devices: devices) { bench in
            #expect(await bench.set("desk", "x", .off) == .failed("desk has no interface 'x'; known: tty, keys"))
            #expect(
                await bench.set("mux", "x", .off)
                    == .failed("mux is emulated firmware, which alone decides about its interfaces"))
            #expect(await bench.set("desk", "tty", .changing) == .failed("an interface can be on, off or muted"))
            #expect(
                await bench.plug("mux") == .failed("mux cannot be plugged: /x.bin: no such file"))
        }
    }

    @Test func typingNeedsAKeyboardInAGuest() async throws {
        let devices = """
            [[device]]
            name = "desk"
            interfaces = [ { kind = "serial", name = "tty", to = "pty" }, { kind = "keyboard", name = "kbd" } ]
            [[device]]
            name = "two"
            interfaces = [ { kind = "keyboard", name = "left" }, { kind = "keyboard", name = "right", layout = "de" } ]
            [[device]]
            name = "lamp"
            interfaces = [ { kind = "serial", name = "tty", to = "pty" } ]
            """
        try await Bench.run(devices: devices) { bench in
            func type(_ device: String, _ interface: String? = nil, _ text: String = "x", layout: String? = nil) async
                -> Outcome
            {
                await bench.engine.perform(
                    .type(device: device, interface: interface, text: text, layout: layout), actor: "test")
            }
            #expect(await type("lamp") == .failed("lamp has no keyboard interface"))
            #expect(await type("desk", "tty") == .failed("desk has no keyboard 'tty'"))
            #expect(await type("two") == .failed("two has several keyboards: left, right; name one"))
            #expect(await type("desk") == .failed("desk is not plugged"))
            #expect(await type("desk", nil, "") == .failed("there is nothing to type"))
            #expect(await type("desk", layout: "dvorak") == .failed("layout 'dvorak'; allowed: us, de, fr"))
            await bench.plug("desk")
            #expect(await type("desk", nil, "ж") == .failed("layout us cannot type 'ж' (U+0436)"))
            #expect(await bench.set("desk", "kbd", .muted).isDone)
            #expect(await type("desk") == .failed("desk/kbd is switched muted"))
            let pressed = await bench.engine.perform(
                .press(device: "desk", interface: nil, keys: "hyper+x"), actor: "test")
            #expect(pressed.text.hasPrefix("'hyper' is not a key; known: "))
        }
    }

    @Test func aGateSwitchedBeforeThePlugCounts() async throws {
        try await Bench.run { bench in
            #expect(await bench.device().interface("log")?.effect == "off: not offered at the next plug")
            #expect(await bench.set("desk", "log", .off) == .done("desk/log switched off"))
            #expect(await bench.device().interface("log")?.effect == "on: offered at the next plug")
            await bench.plug("desk")
            #expect(await bench.vms.guest()?.interfaceCounts == [2])
        }
    }

    @Test func effectsSayWhatTheGuestWillNotice() async throws {
        try await Bench.run(change: { $0.settleSeconds = 0.2 }) { bench in
            await bench.vms.set(.ignores)
            await bench.plug("desk")
            #expect(
                await bench.device().interface("log")?.effect
                    == "off: the device re-enumerates; the guest has not configured it, so it loses and gets nothing now"
            )
            #expect(
                await bench.set("desk", "log", .off).text
                    == "desk/log switched off; the guest had not configured the device before, nor has it now")
            #expect(await bench.set("desk", "log", .on).isDone)
            try await #require(await bench.vms.guest()).setConfiguration(1)
            try await bench.reaches("configured") { $0.guest == .configured }
            #expect(
                await bench.device().interface("log")?.effect
                    == "off: the guest loses a /dev/ttyACM port; the device re-enumerates, tty blink about 0.7 s")
            await bench.vms.change("a") { $0.runState = .paused(reason: "paused") }
            try await eventually("paused") { await bench.engine.isPaused("qmp:/run/a.qmp") }
            #expect(
                await bench.device().interface("log")?.effect
                    == "off: when it continues, the guest loses a /dev/ttyACM port; the device re-enumerates then, tty blink"
            )
            #expect(
                await bench.set("desk", "log", .off).text
                    == "desk/log switched off; the guest is paused and sees it when it continues")
        }
    }

    @Test func aVMThatDiesInASwitchIsToldOf() async throws {
        try await Bench.run(change: { $0.settleSeconds = 30 }) { bench in
            await bench.plug("desk")
            try await #require(await bench.vms.guest()).send([])
            await bench.vms.set(.ignores)
            async let outcome = bench.set("desk", "log", .off)
            try await bench.reaches("switching") { $0.operation != nil }
            await bench.vms.change("a") { $0.runState = .lost(reason: "QEMU died", since: .now) }
            _ = await outcome
            try await bench.reaches("waiting") { $0.state == .waiting && $0.operation == nil }
            #expect(await bench.device().interface("log")?.gate == .off)
        }
    }
}
