import ControlProtocol
import TestDirectory
import Testing

@testable import Engine
@testable import Hypervisor

/// Plugging through the QEMU guest agent.
@Suite(.timeLimit(.minutes(1)))
struct AgentPlugTests {
    /// A VM `a` with an agent whose guest has these programs.
    func exporting(
        _ programs: @Sendable (_ port: Int) -> [String: FakeAgent.Program],
        _ body: (Bench, FakeAgent, _ port: Int) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        try await Bench.exporting(in: directory) { bench, port in
            let path = directory.file("qga.sock")
            let agent = try await FakeAgent.start(at: path, programs: programs(port))
            await bench.vms.change("a") { $0.guestAgentSocket = path }
            try await eventually("agent") { await bench.engine.snapshot().vm("a")?.attachWay == .agent }
            try await body(bench, agent, port)
            await agent.close()
        }
    }

    /// Imports as the guest's kernel does once a tool has handed it the connection.
    static func attaching(_ port: Int) -> FakeAgent.Program {
        { words in
            guard let busID = words.last else { return (2, "no bus id") }
            do {
                _ = try await FakeImporter.take(busID, port: port)
                return (0, "")
            } catch {
                return (1, "\(error)")
            }
        }
    }

    @Test func ourOwnToolIsTriedFirst() async throws {
        try await exporting({ ["2virt-guest": Self.attaching($0)] }) { bench, agent, port in
            #expect(await bench.plugByUSBIP() == .done("desk plugged into a over USB/IP, by its agent"))
            #expect(agent.commands == ["2virt-guest attach 10.0.2.2:\(port) 1-1"])
            #expect(await bench.device().guest == .configured)
            #expect(await bench.unplug("desk").isDone)
            let offered = try await FakeImporter.list(port: port)
            #expect(offered == ["1-1", "1-2"])
        }
    }

    @Test func theUsualToolIsNext() async throws {
        try await exporting({ ["modprobe": { _ in (0, "") }, "usbip": Self.attaching($0)] }) { bench, agent, port in
            #expect(await bench.plugByUSBIP().isDone)
            #expect(
                agent.commands == [
                    "2virt-guest attach 10.0.2.2:\(port) 1-1", "modprobe vhci-hcd",
                    "usbip --tcp-port \(port) attach -r 10.0.2.2 -b 1-1",
                ])
        }
    }

    @Test func aGuestWithoutToolsShowsTheLine() async throws {
        try await exporting({ _ in ["modprobe": { _ in (0, "") }] }) { bench, _, port in
            #expect(
                await bench.plugByUSBIP()
                    == .failed(
                        "a could not attach desk: it has neither 2virt-guest nor the usbip tool; type in the guest: "
                            + "2virt-guest attach 10.0.2.2:\(port) 1-1"))
            #expect(await bench.device().state == .unplugged)
        }
    }

    @Test func whatTheToolSaysIsTold() async throws {
        try await exporting({ _ in
            ["2virt-guest": { _ in (1, "vhci-hcd: no free port\nsecond \u{1B}[2Jline\n") }]
        }) { bench, _, _ in
            #expect(
                await bench.plugByUSBIP()
                    == .failed(
                        "a could not attach desk: 2virt-guest attach: vhci-hcd: no free port; second ?[2Jline (exit code 1)"
                    ))
        }
    }

    @Test func anAgentThatIsNotThereIsSaid() async throws {
        try await Bench.exporting { bench, _ in
            await bench.vms.change("a") { $0.guestAgentSocket = "/nonexistent/qga.sock" }
            try await eventually("agent") { await bench.engine.snapshot().vm("a")?.attachWay == .agent }
            #expect(
                await bench.plugByUSBIP().text.hasPrefix("a could not attach desk: guest agent socket /nonexistent"))
        }
    }

    @Test func aDetachInTheGuestIsItsWill() async throws {
        try await exporting({ ["2virt-guest": Self.attaching($0)] }) { bench, _, port in
            #expect(await bench.plugByUSBIP().isDone)
            // The tool has no part in it: the kernel closes its connection.
            #expect(
                await bench.engine.exporter?.release(busID: "1-1", reason: "the importer closed the connection") == true
            )
            try await bench.reaches("unplugged") { $0.state == .unplugged && $0.operation == nil }
            #expect(await bench.device().by == "guest")
        }
    }

    @Test func theNextEngineAsksTheAgentAgain() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("qga.sock")
        func run(_ body: (Bench) async throws -> Void) async throws {
            try await Bench.exporting(in: directory) { bench, port in
                let agent = try await FakeAgent.start(at: path, programs: ["2virt-guest": Self.attaching(port)])
                await bench.vms.change("a") { $0.guestAgentSocket = path }
                try await body(bench)
                await agent.close()
            }
        }
        try await run { bench in
            try await eventually("agent") { await bench.engine.snapshot().vm("a")?.attachWay == .agent }
            #expect(await bench.plugByUSBIP().isDone)
        }
        try await run { bench in try await bench.reachesPlugged() }
    }
}
