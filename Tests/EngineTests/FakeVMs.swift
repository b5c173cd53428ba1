import NIOCore

@testable import Engine
@testable import Hypervisor

/// VMs whose guests do as the test says, behind the engine's real wire sockets.
actor FakeVMs: VMControl {
    private(set) var list = VMList()
    /// What the guest of the next plug does.
    var behaviour = FakeGuest.Behaviour.configures
    /// Thrown by the next plugs and unplugs.
    var plugError: PlugError?
    var unplugError: PlugError?
    /// Called in a plug before QEMU connects, and after.
    var beforeConnect: (@Sendable () async -> Void)?
    /// Guests by device, the newest of each.
    private(set) var guests: [String: FakeGuest] = [:]
    private(set) var plugCount = 0
    private(set) var unplugged: [String] = []
    private var subscribers: [AsyncStream<VMList>.Continuation] = []

    // MARK: Script

    func add(_ name: String, id: String? = nil, pid: Int32 = 100, _ state: VMRunState = .running) {
        let id = id ?? "qmp:/run/\(name).qmp"
        list.vms.removeAll { $0.id == id }
        var vm = VMState(id: id, name: name, source: .qmpDirectory(path: "/run"), runState: state)
        vm.pid = pid
        list.vms.append(vm)
        send()
    }

    func change(_ name: String, _ body: @Sendable (inout VMState) -> Void) {
        guard let index = list.vms.firstIndex(where: { $0.name == name }) else { return }
        body(&list.vms[index])
        send()
    }

    func remove(_ name: String) {
        list.vms.removeAll { $0.name == name }
        send()
    }

    func set(_ behaviour: FakeGuest.Behaviour) { self.behaviour = behaviour }
    func failPlugs(_ error: PlugError?) { plugError = error }
    func failUnplugs(_ error: PlugError?) { unplugError = error }
    func whenPlugging(_ body: (@Sendable () async -> Void)?) { beforeConnect = body }

    func guest(_ device: String = "desk") -> FakeGuest? { guests[device] }

    /// As QEMU does when it dies: all wires close.
    func disconnectAll() async {
        for guest in guests.values { await guest.close() }
    }

    private func send() { for subscriber in subscribers { subscriber.yield(list) } }

    // MARK: VMControl

    func start() {}

    func shutdown() {
        for subscriber in subscribers { subscriber.finish() }
        subscribers = []
    }

    func updates() -> AsyncStream<VMList> {
        let (stream, continuation) = AsyncStream.makeStream(of: VMList.self, bufferingPolicy: .bufferingNewest(1))
        continuation.yield(list)
        subscribers.append(continuation)
        return stream
    }

    func plug(
        vm id: String, _ request: PlugRequest, prepare: @escaping @Sendable (PortChoice) async throws -> Void
    ) async throws(PlugError) -> PluggedPort {
        guard let vm = list.vms.first(where: { $0.id == id }) else { throw .unknownVM(id) }
        guard vm.isControllable else { throw .notControllable(vm: vm.name, reason: vm.runState.description) }
        plugCount += 1
        let choice = PortChoice(bus: "xhci.0", kind: .xhci, port: 1, speed: .high)
        do {
            try await prepare(choice)
        } catch {
            throw .notPrepared(device: request.device, text: "\(error)")
        }
        await beforeConnect?()
        if let plugError { throw plugError }
        do {
            guests[request.device] = try await FakeGuest.connect(request.socketPath, behaviour)
        } catch {
            throw .chardevRefused(vm: vm.name, socketPath: request.socketPath, text: "\(error)")
        }
        return PluggedPort(
            vm: id, device: request.device, qdevID: QdevID.make(device: request.device), bus: choice.bus,
            port: choice.port, speed: choice.speed, note: nil)
    }

    func unplug(_ port: PluggedPort) async throws(PlugError) {
        if let unplugError { throw unplugError }
        guard let vm = list.vms.first(where: { $0.id == port.vm }) else { throw .unknownVM(port.vm) }
        guard vm.isControllable else { throw .notControllable(vm: vm.name, reason: vm.runState.description) }
        unplugged.append(port.device)
        await guests[port.device]?.close()
    }
}
