import ControlProtocol

/// Payload and transfer rates towards and from the guest.
struct Rate: Sendable, Equatable {
    var bytesIn = 0.0
    var bytesOut = 0.0
    var transfers = 0.0

    var bytes: Double { bytesIn + bytesOut }

    static func + (left: Rate, right: Rate) -> Rate {
        Rate(
            bytesIn: left.bytesIn + right.bytesIn, bytesOut: left.bytesOut + right.bytesOut,
            transfers: left.transfers + right.transfers)
    }
}

/// Rates from the counters of snapshots at least a second apart.
///
/// The engine sends no snapshot while nothing moves, so rates older than `stale` seconds are none.
struct RateBook: Sendable, Equatable {
    static let interval = 0.9
    static let stale = 2.6
    static let historyLength = 24

    private var base: [ObjectID: Counters] = [:]
    private var baseTime = 0.0
    private var rates: [ObjectID: Rate] = [:]
    private var history: [ObjectID: [Double]] = [:]
    private var computedAt = 0.0

    /// Takes the counters of a new snapshot; `now` is the console's clock.
    mutating func take(_ snapshot: Snapshot, now: Double) {
        let elapsed = snapshot.time - baseTime
        // A clock set back, or another engine: begin again.
        guard elapsed < 0 || elapsed >= Self.interval else { return }
        let counters = Self.counters(of: snapshot)
        var fresh: [ObjectID: Rate] = [:]
        var lines: [ObjectID: [Double]] = [:]
        for (id, new) in counters {
            let old = base[id] ?? new
            let rate = elapsed > 0 && baseTime > 0 ? Self.rate(from: old, to: new, seconds: elapsed) : Rate()
            fresh[id] = rate
            lines[id] = (history[id] ?? []).suffix(Self.historyLength - 1) + [rate.bytes]
        }
        base = counters
        baseTime = snapshot.time
        rates = fresh
        history = lines
        computedAt = now
    }

    /// The rate of a device or interface.
    func rate(_ id: ObjectID, now: Double) -> Rate {
        now - computedAt > Self.stale ? Rate() : rates[id] ?? Rate()
    }

    /// Bytes a second of the last samples, oldest first; seconds without a snapshot moved nothing.
    func line(_ id: ObjectID, now: Double) -> [Double] {
        let silent =
            now - computedAt > Self.stale ? Format.whole(now - computedAt, limit: Double(Self.historyLength)) : 0
        return (history[id] ?? []) + Array(repeating: 0, count: silent)
    }

    private static func counters(of snapshot: Snapshot) -> [ObjectID: Counters] {
        var counters: [ObjectID: Counters] = [:]
        for device in snapshot.devices {
            counters[.device(device.name)] = device.counters
            for interface in device.interfaces {
                counters[.interface(device: device.name, name: interface.name)] = interface.counters
            }
        }
        return counters
    }

    private static func rate(from old: Counters, to new: Counters, seconds: Double) -> Rate {
        func grown(_ old: UInt64, _ new: UInt64) -> Double { new > old ? Double(new - old) / seconds : 0 }
        return Rate(
            bytesIn: grown(old.bytesIn, new.bytesIn), bytesOut: grown(old.bytesOut, new.bytesOut),
            transfers: grown(old.transfersIn, new.transfersIn) + grown(old.transfersOut, new.transfersOut))
    }
}
