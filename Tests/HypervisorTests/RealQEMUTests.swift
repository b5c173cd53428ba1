import Foundation
import NIOConcurrencyHelpers
import NIOPosix
import TestDirectory
import Testing

@testable import Hypervisor

/// Against a QEMU without a kernel: SeaBIOS is enough to run.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct RealQEMUTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("a.qmp") }
    var source: [VMSource] { [.qmpDirectory(path: directory.path)] }

    init() throws { directory = try TemporaryDirectory() }

    func running(_ registry: VMRegistry) async throws -> VMState {
        try await state(registry, within: 15) { $0.runState == .running }
    }

    /// The VM's first state that fits.
    func state(
        _ registry: VMRegistry, within seconds: Double = 1, _ fits: @escaping @Sendable (VMState) -> Bool
    ) async throws -> VMState {
        let list = try await firstList(registry, within: seconds, "state") { $0.vms.first.map(fits) == true }
        return try #require(list.vms.first)
    }

    /// A second monitor would be a second client; the monitor's own connection does.
    func monitor(_ socket: String) async throws -> QMPClient {
        try await QMPClient.connect(socketPath: socket, group: MultiThreadedEventLoopGroup.singleton)
    }

    func second(_ name: String = "b.sock") -> [String] {
        ["-qmp", "unix:\(directory.file(name)),server=on,wait=off"]
    }

    @Test func discoversControllersAndPorts() async throws {
        let qemu = try QEMU(socket: path, devices: QEMU.controllers)
        try await withRegistry(source) { registry in
            let vm = try await running(registry)
            #expect(vm.name == "a")
            #expect(vm.id == "qmp:" + path)
            #expect(vm.pid == qemu.pid)
            #expect(vm.accelerator == "tcg")
            #expect(vm.cpuCount == 1)
            #expect(vm.memory == 32 << 20)
            #expect(abs(try #require(vm.startedAt).timeIntervalSinceNow) < 30)
            #expect(vm.qemuVersion?.hasPrefix("7.") == true || vm.qemuVersion?.isEmpty == false)
            let slow: [PortSpeed] = [.low, .full]
            let any: [PortSpeed] = [.low, .full, .high]
            let found = Dictionary(uniqueKeysWithValues: vm.controllers.map { ($0.bus, $0) })
            #expect(Set(found.keys) == ["xhci.0", "ehci.0", "ich9.0", "usb-bus.0", "ohci.0"])
            #expect(found["xhci.0"]?.ports.map(\.speeds) == [any + [.super], any + [.super], any])
            #expect(found["xhci.0"]?.ports[0].occupant?.driver == "usb-tablet")
            #expect(found["xhci.0"]?.freePorts.map(\.number) == [2, 3])
            #expect(found["ehci.0"]?.ports.map(\.speeds) == Array(repeating: [.high], count: 6))
            #expect(
                found["ich9.0"]?.ports.map(\.speeds)
                    == Array(repeating: any, count: 4) + Array(repeating: [.high], count: 2))
            #expect(found["usb-bus.0"]?.driver == "piix3-usb-uhci")
            #expect(found["usb-bus.0"]?.ports.map(\.speeds) == [slow, slow])
            #expect(found["ohci.0"]?.ports.count == 4)
            #expect(vm.controllers.first?.bus == "xhci.0")
            _ = try await state(registry, within: 5) { ($0.cpuPercent ?? -1) >= 0 }
        }
        qemu.kill()
    }

    @Test func onBoardControllerIsFound() async throws {
        let qemu = try QEMU(socket: path, devices: [], extra: ["-machine", "usb=on"])
        try await withRegistry(source) { registry in
            let vm = try await running(registry)
            #expect(vm.controllers.map(\.driver) == ["piix3-usb-uhci"])
            #expect(vm.controllers.first?.bus == "usb-bus.0")
        }
        qemu.kill()
    }

    @Test func plugFillsEveryPortWithoutAHubAndUnplugFreesIt() async throws {
        let qemu = try QEMU(socket: path, devices: ["piix3-usb-uhci", "qemu-xhci,id=xhci,p2=1,p3=1"])
        let listener = try await Listener(path: directory.file("u.sock"))
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            var ports: [PluggedPort] = []
            for name in ["one", "two", "three"] {
                ports.append(
                    try await registry.plug(
                        vm: "a", PlugRequest(device: name, speeds: [.super, .high, .full], socketPath: listener.path)))
            }
            #expect(ports.map(\.bus) == ["xhci.0", "usb-bus.0", "usb-bus.0"])
            #expect(ports.map(\.port) == [1, 1, 2])
            #expect(ports.map(\.speed) == [.super, .full, .full])
            let full = try await state(registry) { $0.controllers.allSatisfy { $0.freePorts.isEmpty } }
            let occupants = full.controllers.flatMap(\.ports).compactMap(\.occupant)
            #expect(occupants.map(\.driver) == ["usb-redir", "usb-redir", "usb-redir"])
            await #expect(throws: PlugError.self) {
                try await registry.plug(
                    vm: "a", PlugRequest(device: "four", speeds: [.full], socketPath: listener.path))
            }
            for port in ports { try await registry.unplug(port) }
            let empty = try await state(registry) { $0.controllers.map(\.freePorts.count) == [1, 2] }
            #expect(empty.controllers.count == 2)
            #expect(try await registry.leftovers(vm: "a") == [])
            // Once more: gone already is no error.
            try await registry.unplug(ports[0])
        }
        try await listener.close()
        qemu.kill()
    }

    @Test func concurrentPlugsTakeDifferentPorts() async throws {
        let qemu = try QEMU(socket: path)
        let listener = try await Listener(path: directory.file("u.sock"))
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            let ports = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        try await registry.plug(
                            vm: "a", PlugRequest(device: "d\(index)", speeds: [.high], socketPath: listener.path)
                        ).port
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(ports == [1, 2, 3, 4])
        }
        try await listener.close()
        qemu.kill()
    }

    /// QEMU tells nobody of another's plug, so that the picture of the ports is old for a while.
    @Test func portTakenByAnotherIsLeftAloneAndTheNextIsTaken() async throws {
        let qemu = try QEMU(socket: path, extra: second())
        let listener = try await Listener(path: directory.file("u.sock"))
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            let other = try await monitor(directory.file("b.sock"))
            _ = try await other.execute(
                "device_add", ["driver": "usb-tablet", "id": "theirs", "bus": "xhci.0", "port": "1"])
            let prepared = NIOLockedValueBox<[Int]>([])
            let port = try await registry.plug(
                vm: "a", PlugRequest(device: "x", speeds: [.high], socketPath: listener.path)
            ) { choice in prepared.withLockedValue { $0.append(choice.port) } }
            #expect(port.port == 2)
            #expect(prepared.withLockedValue(\.last) == 2)
            let left = try await registry.leftovers(vm: "a")
            #expect(left == [Leftover(qdevID: "ua-2virt-x", hasDevice: true, hasChardev: true)])
            await other.close()
        }
        try await listener.close()
        qemu.kill()
    }

    @Test func pausedVMTakesAPlugAtOnceWithANote() async throws {
        let qemu = try QEMU(socket: path, extra: ["-S"])
        let listener = try await Listener(path: directory.file("u.sock"))
        try await withRegistry(source) { registry in
            _ = try await state(registry, within: 15) { $0.runState == .paused(reason: "prelaunch") }
            let port = try await registry.plug(
                vm: "a", PlugRequest(device: "desk", speeds: [.high], socketPath: listener.path))
            #expect(port.note?.contains("paused") == true)
            try await registry.unplug(port)
        }
        try await listener.close()
        qemu.kill()
    }

    @Test func failedPlugLeavesNothingBehind() async throws {
        let qemu = try QEMU(socket: path)
        let listener = try await Listener(path: directory.file("u.sock"))
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            let nobody = directory.file("nobody.sock")
            await #expect {
                try await registry.plug(vm: "a", PlugRequest(device: "x", speeds: [.high], socketPath: nobody))
            } throws: {
                "\($0)".contains(nobody) && "\($0)".contains("No such file")
            }
            // A boot index past int32 is refused by device_add, after the chardev was made.
            await #expect {
                try await registry.plug(
                    vm: "a",
                    PlugRequest(device: "x", speeds: [.high], socketPath: listener.path, bootIndex: .max))
            } throws: {
                if case PlugError.deviceRefused = $0 { true } else { false }
            }
            #expect(try await registry.leftovers(vm: "a") == [])
            let port = try await registry.plug(
                vm: "a", PlugRequest(device: "x", speeds: [.high], socketPath: listener.path))
            await #expect(throws: PlugError.alreadyPlugged(vm: "a", device: "x", qdevID: port.qdevID)) {
                try await registry.plug(vm: "a", PlugRequest(device: "x", speeds: [.high], socketPath: listener.path))
            }
        }
        try await listener.close()
        qemu.kill()
    }

    @Test func whatADeadEngineLeftIsFoundAndCleaned() async throws {
        let qemu = try QEMU(socket: path)
        let listener = try await Listener(path: directory.file("u.sock"))
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            for name in ["one", "two"] {
                _ = try await registry.plug(
                    vm: "a", PlugRequest(device: name, speeds: [.high], socketPath: listener.path))
            }
        }
        // The engine is dead: its end of each usbredir connection is closed.
        var links = listener.accepted.makeAsyncIterator()
        for _ in 0..<2 { try await links.next()?.close().get() }
        try await listener.close()
        let again = try await Listener(path: directory.file("v.sock"))
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            let all = [
                Leftover(qdevID: "ua-2virt-one", hasDevice: true, hasChardev: true),
                Leftover(qdevID: "ua-2virt-two", hasDevice: true, hasChardev: true),
            ]
            #expect(try await registry.leftovers(vm: "a") == all)
            #expect(try await registry.cleanLeftovers(vm: "a", keeping: ["ua-2virt-two"]) == [all[0]])
            #expect(try await registry.cleanLeftovers(vm: "a") == [all[1]])
            #expect(try await registry.leftovers(vm: "a") == [])
            let port = try await registry.plug(
                vm: "a", PlugRequest(device: "one", speeds: [.high], socketPath: again.path))
            #expect(port.port == 1)
        }
        try await again.close()
        qemu.kill()
    }

    @Test func deviceOfADeadEngineIsReplacedAndPreparationComesFirst() async throws {
        let qemu = try QEMU(socket: path)
        let listener = try await Listener(path: directory.file("u.sock"))
        let request = PlugRequest(device: "desk", speeds: [.high], socketPath: listener.path)
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            _ = try await registry.plug(vm: "a", request)
            var links = listener.accepted.makeAsyncIterator()
            let link = try #require(await links.next())
            await #expect(throws: PlugError.self, "its engine lives") { try await registry.plug(vm: "a", request) }
            try await link.close().get()
            let chosen = NIOLockedValueBox<PortChoice?>(nil)
            let port = try await registry.plug(vm: "a", request) { choice in chosen.withLockedValue { $0 = choice } }
            #expect(chosen.withLockedValue(\.self) == PortChoice(bus: "xhci.0", kind: .xhci, port: 1, speed: .high))
            #expect(port.port == 1)
            try await registry.unplug(port)
            await #expect(throws: PlugError.notPrepared(device: "desk", text: "no wire")) {
                try await registry.plug(vm: "a", request) { _ in throw TooLate(description: "no wire") }
            }
            #expect(try await registry.leftovers(vm: "a") == [])
        }
        try await listener.close()
        qemu.kill()
    }

    @Test func pauseResumeResetAndQuitAreShownWithinASecond() async throws {
        let qemu = try QEMU(socket: path, extra: second())
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            let other = try await monitor(directory.file("b.sock"))
            _ = try await other.execute("stop")
            _ = try await state(registry) { $0.runState == .paused(reason: "paused") }
            _ = try await other.execute("cont")
            _ = try await state(registry) { $0.runState == .running }
            _ = try await other.execute("system_reset")
            _ = try await state(registry) { $0.lastEvent == "reset" }
            _ = try await other.execute("quit")
            let gone = try await state(registry) { !$0.isControllable }
            #expect(gone.runState == .shutdown(reason: "host-qmp-quit"))
            await other.close()
        }
        qemu.process.waitUntilExit()
    }

    @Test func killIsShownWithinASecondAndARestartToo() async throws {
        let qemu = try QEMU(socket: path)
        try await withRegistry(source) { registry in
            let first = try await running(registry)
            qemu.kill()
            let lost = try await state(registry) { if case .lost = $0.runState { true } else { false } }
            #expect(lost.id == first.id)
            #expect(lost.controllers.isEmpty)
            await #expect(throws: PlugError.self) {
                try await registry.plug(vm: "a", PlugRequest(device: "x", speeds: [.high], socketPath: "/x"))
            }
            qemu.process.waitUntilExit()
            let next = try QEMU(socket: path)
            // QEMU itself needs its time to listen.
            let back = try await state(registry, within: 10) { $0.runState == .running }
            #expect(back.id == first.id)
            #expect(back.pid == next.pid)
            next.kill()
        }
    }

    @Test func socketHeldByAnotherClientIsSaidAndTakenWhenItLeaves() async throws {
        let qemu = try QEMU(socket: path)
        var holder: QMPClient?
        while holder == nil { holder = try? await monitor(path) }
        try await withRegistry(source) { registry in
            let held = try await state(registry, within: 5) {
                if case .unreachable = $0.runState { true } else { false }
            }
            #expect(held.runState.description.contains("held by another client"))
            #expect(held.pid == qemu.pid)
            await holder?.close()
            _ = try await state(registry, within: 2) { $0.runState == .running }
        }
        qemu.kill()
    }

    @Test func hungQEMUIsSaidAndRecovers() async throws {
        let qemu = try QEMU(socket: path)
        try await withRegistry(source) { registry in
            _ = try await running(registry)
            qemu.kill(SIGSTOP)
            let hung = try await state(registry, within: 6) {
                if case .unreachable = $0.runState { true } else { false }
            }
            #expect(hung.runState.description.contains("stopped by a signal"))
            qemu.kill(SIGCONT)
            _ = try await state(registry, within: 6) { $0.runState == .running }
        }
        qemu.kill()
    }

    @Test func processesAreFoundOnceAlsoThroughTwoSources() async throws {
        let qemu = try QEMU(socket: path, extra: second("z.qmp"))
        let pid = qemu.pid
        try await withRegistry([.qemuProcesses, .qmpDirectory(path: directory.path)]) { registry in
            let fits: @Sendable (VMList) -> Bool = { list in
                let own = list.vms.filter { $0.pid == pid }
                // The directory may be read before the processes are.
                return own.count == 1 && own[0].runState == .running && own[0].source == .qemuProcesses
                    && !list.vms.contains { $0.name == "z" }
            }
            let list = try await firstList(registry, within: 15, "one VM", where: fits)
            let vm = try #require(list.vms.first { $0.pid == pid })
            #expect(vm.name == "hyp-test")
        }
        qemu.kill()
    }

    @Test func processWithoutAQMPSocketSaysWhatToAdd() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: QEMU.program)
        process.arguments = ["-machine", "none", "-accel", "tcg", "-nodefaults", "-display", "none", "-name", "mute"]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try await withRegistry([.qemuProcesses]) { registry in
            let list = try await firstList(registry, within: 10, "mute VM") { list in
                list.vms.contains { $0.name == "mute" && $0.pid != nil }
            }
            let vm = try #require(list.vms.first { $0.name == "mute" })
            #expect(vm.runState.description.contains("-qmp unix:"))
            #expect(vm.accelerator == "tcg")
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            _ = try await firstList(registry, within: 2, "lost") { list in
                list.vms.contains { if $0.name == "mute", case .lost = $0.runState { true } else { false } }
            }
        }
    }
}
