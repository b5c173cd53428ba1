import ControlProtocol
import TestDirectory

@testable import Engine

/// A bench whose devices are exported on a port of the system's choice.
extension Bench {
    static let exported = "[usbip]\nlisten = [\"127.0.0.1:0\"]\n" + devices

    static func exporting(
        vm names: [String] = ["a"], devices: String = exported, in directory: TemporaryDirectory? = nil,
        change: @escaping (inout EngineSettings) -> Void = { _ in }, _ body: (Bench, _ port: Int) async throws -> Void
    ) async throws {
        try await run(
            vm: names, devices: devices, in: directory,
            change: {
                $0.detachSeconds = 2
                $0.reattachSeconds = 0.05
                $0.agentBootSeconds = 5
                change(&$0)
            }
        ) { bench in
            let address = await bench.engine.snapshot().engine.exporter?.listeners.first?.address ?? ""
            guard let port = Int(address.split(separator: ":").last ?? "") else {
                throw TooLate(description: "nothing listens: \(address)")
            }
            // Offers follow the engine's start.
            try await eventually("exported") { try await !FakeImporter.list(port: port).isEmpty }
            try await body(bench, port)
        }
    }

    func plugByUSBIP(_ device: String = "desk", _ vm: String = "a") async -> Outcome {
        await engine.perform(.plug(device: device, vm: vm, via: .usbip), actor: "op")
    }

    /// A guest that watches, once the engine knows it.
    func watcher(
        _ guest: String = "a", port: Int, _ behaviour: FakeWatcher.Behaviour = .attaches
    ) async throws -> FakeWatcher {
        let before = await engine.watchers[guest]?.link.id
        let watcher = try await FakeWatcher.start(guest, port: port, behaviour)
        try await eventually("watcher") {
            let link = await engine.watchers[guest]?.link.id
            return link != nil && link != before
        }
        return watcher
    }

    func reachesPlugged(_ device: String = "desk") async throws {
        try await reaches("plugged", device) {
            $0.state == .plugged && $0.guest == .configured && $0.operation == nil
        }
    }
}
