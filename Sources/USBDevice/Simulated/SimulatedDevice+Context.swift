import USBCore

extension SimulatedDevice {
    /// One function's way to its endpoints.
    final class Context: FunctionContext {
        /// A backend's late callback may outlive the device. Not weak for speed: the device says when it goes.
        private var device: SimulatedDevice? { reference?.takeUnretainedValue() }
        @exclusivity(unchecked) private var reference: Unmanaged<SimulatedDevice>?
        private let function: Int

        init(device: SimulatedDevice, function: Int) {
            reference = .passUnretained(device)
            self.function = function
        }

        func deviceIsGoing() { reference = nil }

        var speed: Speed? { device?.port?.speed }

        var isActive: Bool {
            guard let device, device.state.configuration != 0 else { return false }
            return device.state.composition?.interfaces.contains { $0.function == function } == true
        }

        var firstInterface: UInt8? { device?.state.composition?.firstInterface(of: function) }

        func write(_ bytes: [UInt8], to endpoint: EndpointKey, endOfMessage: Bool) {
            device?.write(bytes, to: endpoint, of: function, endOfMessage: endOfMessage)
        }

        func queuedBytes(_ endpoint: EndpointKey) -> Int { queue(endpoint)?.queuedBytes ?? 0 }

        func read(_ endpoint: EndpointKey) -> [UInt8]? { device?.read(endpoint, of: function) }

        func halt(_ endpoint: EndpointKey) {
            guard let device, device.state.configuration != 0, let queue = queue(endpoint) else { return }
            device.halt(queue)
        }

        func discard(_ endpoint: EndpointKey) { queue(endpoint)?.discardData() }

        func report(_ change: DeviceChange) { device?.port?.report(change) }

        private func queue(_ key: EndpointKey) -> EndpointQueue? {
            device?.endpoints.first(ofFunction: function, key)
        }
    }

    private func write(_ bytes: [UInt8], to endpoint: EndpointKey, of function: Int, endOfMessage: Bool) {
        guard state.configuration != 0, let queue = endpoints.first(ofFunction: function, endpoint),
            queue.address.direction == .in, queue.schedule == nil
        else { return }
        queue.append(bytes, endOfMessage: endOfMessage)
        // Otherwise whoever is at it goes on.
        if !queue.isPumping { pump(queue) }
    }

    private func read(_ endpoint: EndpointKey, of function: Int) -> [UInt8]? {
        guard state.configuration != 0, let queue = endpoints.first(ofFunction: function, endpoint),
            !queue.transfers.isEmpty, queue.address.direction == .out, !queue.isHalted, queue.schedule == nil,
            gates[function] == .on, let transfer = queue.transfers.popFirst()
        else { return nil }
        queue.takenCount += 1
        // The host may submit the next transfer from the completion; offered now, it would overtake these bytes.
        let wasPumping = queue.isPumping
        queue.isPumping = true
        finish(transfer, .success, actualLength: transfer.data.count)
        queue.isPumping = wasPumping
        return transfer.data
    }

    /// Halts an endpoint: what waits there stalls (USB 2.0 section 9.4.5).
    func halt(_ queue: EndpointQueue) {
        queue.isHalted = true
        queue.discardData()
        let transfers = queue.takeTransfers()
        for transfer in transfers { finish(transfer, .stall) }
    }
}
