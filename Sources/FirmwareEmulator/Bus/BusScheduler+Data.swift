import USBCore

/// Bulk and interrupt transfers, one packet at a time (USB 2.0 sections 5.7, 5.8 and 8.6).
extension BusScheduler {
    /// The pipe whose turn it is, round robin; nil when none can be asked now.
    func nextPipe() -> Int? {
        for step in 1...32 {
            let index = (lastPipe + step) & 31
            guard index & 15 != 0, !pipes[index].queue.isEmpty, pipes[index].type != .isochronous,
                frame >= pipes[index].eligibleFrame,
                pipes[index].busyAtActivity == nil || pipes[index].busyAtActivity != controller.activity
            else { continue }
            return index
        }
        return nil
    }

    func dataTransaction(_ index: Int) {
        guard let head = pipes[index].queue.first else { return }
        if !pipes[index].hasStarted { start(index, head.transfer) }
        switch pipes[index].address.direction {
        case .in: inTransaction(index, head.transfer)
        case .out: outTransaction(index, head.transfer)
        }
        // An interrupt endpoint is asked once each interval, whatever it answers.
        if pipes[index].type == .interrupt { pipes[index].eligibleFrame = frame + UInt64(pipes[index].interval) }
    }

    private func start(_ index: Int, _ transfer: Transfer) {
        pipes[index].clearProgress()
        pipes[index].hasStarted = true
        let count = transfer.data.count
        pipes[index].owesEmptyPacket =
            transfer.endpoint.direction == .out
            && (count == 0 || transfer.flags.contains(.zeroPacket) && count % pipes[index].packetSize == 0)
    }

    private func inTransaction(_ index: Int, _ transfer: Transfer) {
        let answer = controller.in(address: Self.deviceAddress, endpoint: pipes[index].address.number)
        switch answer {
        case .busy:
            occupy(payload: 0, overhead: 8)
            pipes[index].busyAtActivity = controller.activity
        case .stalled:
            occupy(payload: 0, overhead: 8)
            end(index, .stall)
        case .silence: silent(index)
        case .data(let packet, let toggle):
            occupy(payload: packet.count)
            pipes[index].silentTries = 0
            pipes[index].busyAtActivity = nil
            guard toggle == pipes[index].toggle else { return }
            pipes[index].toggle.toggle()
            pipes[index].received += packet
            let count = pipes[index].received.count
            if packet.count > pipes[index].packetSize || count > transfer.length {
                end(index, .babble)
            } else if count == transfer.length {
                end(index, .success)
            } else if packet.count < pipes[index].packetSize {
                end(index, transfer.flags.contains(.shortNotOK) ? .shortPacket : .success)
            }
        }
    }

    private func outTransaction(_ index: Int, _ transfer: Transfer) {
        let pipe = pipes[index]
        let packetEnd = min(pipe.sent + pipe.packetSize, transfer.data.count)
        let packet = transfer.data[pipe.sent..<packetEnd]
        let answer = controller.out(
            packet, toggle: pipe.toggle, address: Self.deviceAddress, endpoint: pipe.address.number)
        occupy(payload: packet.count)
        switch answer {
        case .busy: pipes[index].busyAtActivity = controller.activity
        case .stalled: end(index, .stall)
        case .silence: silent(index)
        case .acknowledged:
            pipes[index].silentTries = 0
            pipes[index].busyAtActivity = nil
            pipes[index].toggle.toggle()
            pipes[index].sent = packetEnd
            if packet.isEmpty { pipes[index].owesEmptyPacket = false }
            if packetEnd == transfer.data.count, !pipes[index].owesEmptyPacket { end(index, .success) }
        }
    }

    private func silent(_ index: Int) {
        occupy(payload: 0, overhead: 8)
        pipes[index].eligibleFrame = frame + 1
        pipes[index].busyAtActivity = nil
        pipes[index].silentTries += 1
        if pipes[index].silentTries > Self.silentTries { end(index, .error) }
    }

    /// Ends the transfer in front of a pipe.
    private func end(_ index: Int, _ status: TransferStatus) {
        guard let transfer = pipes[index].queue.popFirst() else { return }
        let data = Array(pipes[index].received.prefix(transfer.transfer.length))
        let sent = pipes[index].sent
        pipes[index].clearProgress()
        finish(transfer, status, data: data, actualLength: sent)
    }
}
