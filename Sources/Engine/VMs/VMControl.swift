import Hypervisor

/// VMs as the engine needs them: a list that changes, and the way in and out. `VMRegistry` is the one of the product.
protocol VMControl: Sendable {
    func start() async
    func shutdown() async
    func updates() async -> AsyncStream<VMList>
    func plug(
        vm: String, _ request: PlugRequest, prepare: @escaping @Sendable (PortChoice) async throws -> Void
    ) async throws(PlugError) -> PluggedPort
    func unplug(_ port: PluggedPort) async throws(PlugError)
}

extension VMRegistry: VMControl {}
