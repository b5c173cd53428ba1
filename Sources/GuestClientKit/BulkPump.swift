import Glibc

/// Moves bytes between a socket and a pair of bulk endpoints until one of them ends; back-pressure both ways.
///
/// IN transfers are always in flight unless the socket is full; the socket is read only while an OUT slot is free.
struct BulkPump {
    struct Layout: Equatable {
        var inEndpoint: UInt8
        var outEndpoint: UInt8
        var outPacketSize: Int
        var inSize: Int
        var outSize: Int
        var inSlots = 4
        var outSlots = 4
        /// Interrupt IN; nil: the interface has none.
        var notifyEndpoint: UInt8?

        /// Bulk slots, and one for the interrupt endpoint.
        var slots: Int { inSlots + outSlots + 1 }
        /// Of the interrupt endpoint.
        var notifySlot: Int { inSlots + outSlots }
    }

    /// Bytes of the longest message of the interrupt endpoint.
    private static let notifySize = 64

    private let device: any BulkDevice
    private let layout: Layout
    private let socket: Int32
    private let stop: Int32
    private let notified: (([UInt8]) -> Void)?
    private var freeOut: [Int]
    private var inFlight: Set<Int> = []
    /// Filled IN slots in order of arrival; the first may be partly written.
    private var arrived: [(slot: Int, range: Range<Int>)] = []

    init(
        device: any BulkDevice, layout: Layout, socket: Int32, stop: Int32, notified: (([UInt8]) -> Void)? = nil
    ) {
        self.notified = notified
        self.device = device
        self.layout = layout
        self.socket = socket
        self.stop = stop
        freeOut = Array(layout.inSlots..<layout.inSlots + layout.outSlots)
    }

    /// Blocks until the device, the socket or the stop signal ends it; nothing is in flight afterwards.
    mutating func run() -> PipeEnd {
        let end = moveUntilEnd()
        if end != .deviceGone { drain() }
        return end
    }

    private mutating func moveUntilEnd() -> PipeEnd {
        do throws(PumpExit) {
            for slot in 0..<layout.inSlots { try submitIn(slot) }
            try listen()
            while true {
                var entries = pollEntries()
                let ready = poll(&entries, nfds_t(entries.count), -1)
                if ready < 0 {
                    if errno == EINTR { continue }
                    return .failed("poll: \(errorText(errno))")
                }
                if entries[2].revents != 0 { return .stopped }
                if entries[0].revents != 0 { try reapAll() }
                if entries[1].revents & Int16(POLLOUT) != 0 { try writeArrived() }
                if entries[1].revents & Int16(POLLHUP | POLLERR) != 0 && freeOut.isEmpty { return .clientClosed }
                if entries[1].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try readSocket() }
            }
        } catch {
            return error.end
        }
    }

    private func pollEntries() -> [pollfd] {
        // usbfs reports an error while nothing is in flight; polling it then would spin.
        let usb = inFlight.isEmpty ? -1 : device.pollDescriptor
        var wanted = freeOut.isEmpty ? 0 : Int16(POLLIN)
        if !arrived.isEmpty { wanted |= Int16(POLLOUT) }
        return [
            pollfd(fd: usb, events: device.pollEvents, revents: 0),
            pollfd(fd: wanted == 0 ? -1 : socket, events: wanted, revents: 0),
            pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
        ]
    }

    private mutating func submitIn(_ slot: Int) throws(PumpExit) {
        try submit(slot, endpoint: layout.inEndpoint, length: layout.inSize, zeroPacket: false)
    }

    /// Waits for the next message of the interrupt endpoint, when somebody wants to hear it.
    private mutating func listen() throws(PumpExit) {
        guard notified != nil, let endpoint = layout.notifyEndpoint else { return }
        try submit(layout.notifySlot, endpoint: endpoint, length: Self.notifySize, zeroPacket: false)
    }

    private mutating func submit(_ slot: Int, endpoint: UInt8, length: Int, zeroPacket: Bool) throws(PumpExit) {
        do {
            try device.submit(slot: slot, endpoint: endpoint, length: length, zeroPacket: zeroPacket)
            inFlight.insert(slot)
        } catch {
            throw PumpExit(transferCode: error.code, endpoint: endpoint)
        }
    }

    private mutating func reapAll() throws(PumpExit) {
        while true {
            let completion: BulkCompletion?
            do {
                completion = try device.reap()
            } catch {
                throw PumpExit(transferCode: error.code, endpoint: layout.inEndpoint)
            }
            guard let completion else { break }
            inFlight.remove(completion.slot)
            let isIn = completion.slot < layout.inSlots
            if completion.slot == layout.notifySlot {
                guard completion.code == 0 else {
                    throw PumpExit(transferCode: completion.code, endpoint: layout.notifyEndpoint ?? 0)
                }
                notified?(Array(device.buffer(slot: completion.slot)[..<completion.length]))
                try listen()
                continue
            }
            guard completion.code == 0 else {
                throw PumpExit(
                    transferCode: completion.code, endpoint: isIn ? layout.inEndpoint : layout.outEndpoint)
            }
            if !isIn {
                freeOut.append(completion.slot)
            } else if completion.length == 0 {
                try submitIn(completion.slot)
            } else {
                arrived.append((completion.slot, 0..<completion.length))
            }
        }
        try writeArrived()
    }

    /// Hands arrived bytes to the socket; slots that are empty again go back to the device.
    private mutating func writeArrived() throws(PumpExit) {
        while let first = arrived.first {
            let bytes = UnsafeRawBufferPointer(rebasing: device.buffer(slot: first.slot)[first.range])
            let count = send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return
                case EPIPE, ECONNRESET: throw PumpExit(end: .clientClosed)
                default: throw PumpExit(end: .failed("socket: \(errorText(errno))"))
                }
            }
            if count < bytes.count {
                arrived[0].range = first.range.lowerBound + count..<first.range.upperBound
            } else {
                arrived.removeFirst()
                try submitIn(first.slot)
            }
        }
    }

    private mutating func readSocket() throws(PumpExit) {
        while let slot = freeOut.last {
            let buffer = device.buffer(slot: slot)
            let size = min(buffer.count, layout.outSize)
            let count = recv(socket, buffer.baseAddress, size, Int32(MSG_DONTWAIT))
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return
                case ECONNRESET: throw PumpExit(end: .clientClosed)
                default: throw PumpExit(end: .failed("socket: \(errorText(errno))"))
                }
            }
            if count == 0 { throw PumpExit(end: .clientClosed) }
            freeOut.removeLast()
            // USB 2.0 5.8.3: a write that fills its last packet needs a zero-length one to end.
            let zeroPacket = layout.outPacketSize > 0 && count % layout.outPacketSize == 0
            try submit(slot, endpoint: layout.outEndpoint, length: count, zeroPacket: zeroPacket)
        }
    }

    /// Takes back what is in flight, so that a later session on this device starts clean.
    private mutating func drain() {
        inFlight.forEach(device.discard(slot:))
        while !inFlight.isEmpty {
            var entry = pollfd(fd: device.pollDescriptor, events: device.pollEvents, revents: 0)
            let ready = poll(&entry, 1, 1000)
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { return }
            do {
                while let completion = try device.reap() { inFlight.remove(completion.slot) }
            } catch {
                return  // The device is gone, and its transfers with it.
            }
        }
    }
}

/// Leaves the pump's loop with the reason.
private struct PumpExit: Error {
    var end: PipeEnd

    init(end: PipeEnd) { self.end = end }

    init(transferCode code: Int32, endpoint: UInt8) {
        let name = "endpoint 0x" + String(endpoint, radix: 16)
        switch code {
        case ENODEV, ESHUTDOWN, ENXIO, ENOENT, EHOSTUNREACH: end = .deviceGone
        // An unplug often shows as a bus error first; the next scan tells which it was.
        case EPROTO, EILSEQ, ETIME: end = .failed("\(name): the device stopped answering")
        case EPIPE: end = .failed("\(name): the device ended the session (stall)")
        case ENOMEM: end = .failed("\(name): the kernel refuses the transfer memory (see usbcore.usbfs_memory_mb)")
        default: end = .failed("\(name): \(errorText(code))")
        }
    }
}
