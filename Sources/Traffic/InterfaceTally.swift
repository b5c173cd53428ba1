import ControlProtocol
import USBCore

/// Counters and rates of one interface, or of the whole device.
struct Tally {
    private(set) var counters = Counters()
    private(set) var rates = RateHistory()

    mutating func record(_ direction: Direction, bytes: Int, status: TransferStatus, at now: UInt64) {
        let bytes = UInt64(bytes)
        if direction == .in {
            counters.bytesIn &+= bytes
            counters.transfersIn &+= 1
        } else {
            counters.bytesOut &+= bytes
            counters.transfersOut &+= 1
        }
        switch status {
        case .success, .shortPacket: break
        case .stall: counters.stalls &+= 1
        case .cancelled, .noDevice: counters.cancelled &+= 1
        case .babble, .timeout, .error: counters.errors &+= 1
        }
        rates.record(direction, bytes: bytes, at: now)
    }

    /// The finished samples up to now, oldest first.
    mutating func samples(at now: UInt64) -> [RateSample] { rates.samples(at: now) }
}

/// One interface by name; it outlives re-enumeration, and the endpoints it had.
struct InterfaceTally {
    let name: String
    var tally = Tally()
}
