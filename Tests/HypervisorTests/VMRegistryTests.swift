import Foundation
import NIOConcurrencyHelpers
import NIOCore
import TestDirectory
import Testing

@testable import Hypervisor

@Suite(.timeLimit(.minutes(1)))
struct VMRegistryTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("a.qmp") }

    init() throws { directory = try TemporaryDirectory() }

    func unreachable(_ registry: VMRegistry, saying text: String) async throws {
        _ = try await firstList(registry, within: 5, text) { list in
            guard case .unreachable(let reason) = list.vms.first?.runState else { return false }
            return reason.contains(text)
        }
    }

    @Test func sourcesTroublesAreOneLineEach() async throws {
        let missing = directory.file("missing")
        let sources: [VMSource] = [.libvirt(uri: "qemu:///system"), .qmpDirectory(path: missing)]
        try await withRegistry(sources) { registry in
            let list = try await firstList(registry, within: 5, "troubles") { $0.troubles.count == 2 }
            #expect(list.vms.isEmpty)
            #expect(list.troubles[0].message.contains("libvirt"))
            #expect(list.troubles[1].message == "cannot list \(missing): No such file or directory")
            #expect(list.troubles.allSatisfy { !$0.message.contains("\n") })
        }
    }

    @Test func configuredSocketIsListedWhileNothingIsThere() async throws {
        try await withRegistry([.qmp(path: path, name: "desk")]) { registry in
            try await unreachable(registry, saying: path)
            #expect(await registry.vm("desk")?.id == "qmp:" + path)
            await #expect(throws: PlugError.unknownVM("nobody")) {
                try await registry.leftovers(vm: "nobody")
            }
            await #expect(throws: PlugError.self) { try await registry.leftovers(vm: "desk") }
        }
    }

    @Test(arguments: [("SSH-2.0\r\n", "does not speak QMP"), ("", "no greeting")])
    func badPeerIsNamed(_ hello: String, _ text: String) async throws {
        let peer = try await FakePeer(path: path, hello: hello) { _, _ in "" }
        try await withRegistry([.qmp(path: path, name: "desk")]) { registry in
            try await unreachable(registry, saying: text)
        }
        try await peer.close()
    }

    @Test func plainFileInTheDirectoryIsATrouble() async throws {
        try Data().write(to: URL(fileURLWithPath: path))
        try await withRegistry([.qmpDirectory(path: directory.path)]) { registry in
            let list = try await firstList(registry, within: 5, "trouble") { !$0.troubles.isEmpty }
            #expect(list.troubles.map(\.message) == ["\(path) is not a socket"])
        }
    }

    /// A QEMU that answers just enough to be watched.
    static func answer(_ command: String, _ id: Int64) -> String {
        let result =
            switch command {
            case "query-status": #"{"status": "running"}"#
            case "qom-list", "query-cpus-fast", "query-chardev": "[]"
            case "human-monitor-command": #""""#
            default: "{}"
            }
        return #"{"return": \#(result), "id": \#(id)}"# + "\n"
    }

    @Test func socketsAppearAndDisappear() async throws {
        var timing = VMTiming()
        timing.linger = .milliseconds(300)
        timing.sample = .milliseconds(400)
        let isOver = NIOLockedValueBox(false)
        try await withRegistry([.qmpDirectory(path: directory.path)], timing: timing) { registry in
            #expect(await registry.list.vms.isEmpty)
            let peer = try await FakePeer(path: path, hello: FakePeer.greeting) { command, id in
                isOver.withLockedValue(\.self) ? nil : Self.answer(command, id)
            }
            _ = try await firstList(registry, within: 3, "running") { $0.vms.first?.runState == .running }
            // Removes the socket's name; the open connection keeps the VM listed.
            try await peer.close()
            #expect(!FileManager.default.fileExists(atPath: path))
            await #expect(throws: TooLate.self) {
                try await firstList(registry, within: 1, "stays") { $0.vms.first?.runState != .running }
            }
            isOver.withLockedValue { $0 = true }
            _ = try await firstList(registry, within: 3, "lost") {
                if case .lost = $0.vms.first?.runState { true } else { false }
            }
            _ = try await firstList(registry, within: 3, "removed") { $0.vms.isEmpty }
        }
    }

    @Test func lateSubscriberGetsTheListAndShutdownEndsIt() async throws {
        let registry = VMRegistry(sources: [.libvirt(uri: "x")], logger: quiet)
        await registry.start()
        _ = try await firstList(registry, within: 5, "trouble") { $0.troubles.count == 1 }
        var updates = await registry.updates().makeAsyncIterator()
        #expect(await updates.next()?.troubles.count == 1)
        await registry.shutdown()
        #expect(await updates.next() == nil)
    }

    @Test func oneSocketThroughALinkIsOneVM() {
        let real = directory.file("real")
        #expect(throws: Never.self) {
            try FileManager.default.createDirectory(atPath: real, withIntermediateDirectories: false)
            try Data().write(to: URL(fileURLWithPath: real + "/a.qmp"))
            try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: real)
        }
        let scanner = SourceScanner(sources: [
            .qmp(path: real + "/a.qmp", name: "one"), .qmp(path: directory.file("link/a.qmp"), name: "two"),
        ])
        #expect(scanner.scan(processes: []).targets.map(\.name) == ["one"])
    }
}
