import USBCore

extension SimulatedDevice {
    /// One function's way to its endpoints.
    final class Context: FunctionContext {
        /// Weak: a backend's late callback may outlive the device.
        private weak var device: SimulatedDevice?
        private let function: Int

        init(device: SimulatedDevice, function: Int) {
            self.device = device
            self.function = function
        }

        var speed: Speed? { device?.port?.speed }

        var isActive: Bool {
            guard let device, device.state.configuration != 0 else { return false }
            return device.state.composition?.interfaces.contains { $0.function == function } == true
        }

        var firstInterface: UInt8? { device?.state.composition?.firstInterface(of: function) }

        func write(_ bytes: [UInt8], to endpoint: EndpointKey, endOfMessage: Bool) {
            guard let device, device.state.configuration != 0, let queue = queue(endpoint),
                queue.address.direction == .in, queue.schedule == nil
            else { return }
            queue.append(bytes, endOfMessage: endOfMessage)
            device.pump(queue)
        }

        func queuedBytes(_ endpoint: EndpointKey) -> Int { queue(endpoint)?.queuedBytes ?? 0 }

        func read(_ endpoint: EndpointKey) -> [UInt8]? {
            guard let device, device.state.configuration != 0, let queue = queue(endpoint),
                queue.address.direction == .out, !queue.isHalted, queue.schedule == nil,
                device.gates[function] != .muted, let transfer = queue.transfers.popFirst()
            else { return nil }
            queue.takenCount += 1
            // The host may submit the next transfer from the completion; offered now, it would overtake these bytes.
            let wasPumping = queue.isPumping
            queue.isPumping = true
            device.finish(transfer, .success, actualLength: transfer.data.count)
            queue.isPumping = wasPumping
            return transfer.data
        }

        func halt(_ endpoint: EndpointKey) {
            guard let device, device.state.configuration != 0, let queue = queue(endpoint) else { return }
            device.halt(queue)
        }

        func discard(_ endpoint: EndpointKey) { queue(endpoint)?.discardData() }

        func report(_ change: DeviceChange) { device?.port?.report(change) }

        private func queue(_ key: EndpointKey) -> EndpointQueue? {
            device?.state.queues.values.first { $0.owner.function == function && $0.owner.key == key }
        }
    }

    /// Halts an endpoint: what waits there stalls (USB 2.0 section 9.4.5).
    func halt(_ queue: EndpointQueue) {
        queue.isHalted = true
        queue.discardData()
        let transfers = queue.takeTransfers()
        for transfer in transfers { finish(transfer, .stall) }
    }
}
