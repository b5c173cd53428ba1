/// A port, and the speed to serve on it.
public struct PortChoice: Sendable, Equatable {
    public let bus: String
    public let kind: USBController.Kind
    public let port: Int
    public let speed: PortSpeed
}

/// Chooses the port a device goes into: pure, so that every controller mix can be tested.
struct PortChooser {
    let vm: String
    let controllers: [USBController]

    /// The best speed wins; at equal speed xHCI before EHCI before UHCI before OHCI, then the lowest port.
    ///
    /// The port is always named to QEMU: only a device without a port makes QEMU spend the last free one on a hub.
    func choose(_ request: PlugRequest) throws(PlugError) -> PortChoice {
        guard !controllers.isEmpty else { throw .noController(vm: vm) }
        var candidates = controllers
        if let bus = request.bus {
            candidates = controllers.filter { $0.bus == bus }
            guard let controller = candidates.first else {
                throw .unknownBus(vm: vm, bus: bus, known: controllers.map(\.bus))
            }
            if let port = request.port { return try pinned(port, of: controller, request) }
        }
        for speed in Set(request.speeds).sorted(by: >) {
            for controller in candidates {
                let free = controller.freePorts.filter { request.port == nil || $0.number == request.port }
                // Of ports that take the speed, the best one this device makes use of is this very speed.
                if let port = free.first(where: { $0.speeds.contains(speed) }) {
                    return PortChoice(bus: controller.bus, kind: controller.kind, port: port.number, speed: speed)
                }
            }
        }
        throw .noSuitablePort(
            vm: vm, device: request.device, reasons: candidates.map { refusal($0, request) })
    }

    private func pinned(
        _ number: Int, of controller: USBController, _ request: PlugRequest
    ) throws(PlugError) -> PortChoice {
        let refused = { (reason: String) in
            PlugError.badPort(vm: vm, bus: controller.bus, port: number, reason: reason)
        }
        guard let port = controller.ports.first(where: { $0.number == number }) else {
            throw refused("there is none; ports are 1 to \(controller.ports.count)")
        }
        if let occupant = port.occupant { throw refused("taken by \(Self.text(occupant))") }
        guard let speed = request.speeds.filter(port.speeds.contains).max() else {
            throw refused("takes \(Self.text(port.speeds)); \(request.device) offers \(Self.text(request.speeds))")
        }
        return PortChoice(bus: controller.bus, kind: controller.kind, port: number, speed: speed)
    }

    private func refusal(_ controller: USBController, _ request: PlugRequest) -> String {
        let name = "\(controller.bus) (\(controller.driver))"
        let able = controller.ports.filter { !Set($0.speeds).isDisjoint(with: request.speeds) }
        if able.isEmpty {
            return "\(name) takes \(Self.text(controller.speeds)), the device offers \(Self.text(request.speeds))"
        }
        if let port = request.port, !able.contains(where: { $0.number == port }) {
            return "\(name) has no port \(port) for it"
        }
        let taken = able.filter { $0.occupant != nil }.count
        return "\(name): \(taken) of \(able.count) fitting ports are taken"
    }

    private static func text(_ speeds: [PortSpeed]) -> String {
        speeds.isEmpty ? "no speed" : speeds.sorted().map(\.description).joined(separator: "/")
    }

    private static func text(_ occupant: USBOccupant) -> String {
        occupant.id.isEmpty ? occupant.driver : "\(occupant.id) (\(occupant.driver))"
    }
}
