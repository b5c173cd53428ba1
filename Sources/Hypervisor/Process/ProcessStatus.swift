import Foundation

/// One reading of `/proc/PID/stat` (proc(5)): state, CPU ticks of all threads, start.
struct ProcessStatus: Equatable, Sendable {
    /// `R`, `S`, `T` (stopped by a signal), `Z`…
    let state: Character
    let cpuTicks: UInt64
    /// Ticks since boot; with the process id it names one process for ever.
    let startTicks: UInt64

    /// nil when there is no such process.
    static func read(pid: Int32) -> ProcessStatus? {
        guard let bytes = try? readFile("/proc/\(pid)/stat", limit: 4096) else { return nil }
        return ProcessStatus(stat: String(decoding: bytes, as: UTF8.self))
    }

    /// Parses the line; the command name in it may contain blanks and parentheses, so fields count from the last `)`.
    init?(stat: String) {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        // Fields 3 (state), 14 and 15 (utime, stime), 22 (starttime).
        guard fields.count > 19, let state = fields[0].first, let user = UInt64(fields[11]),
            let system = UInt64(fields[12]), let start = UInt64(fields[19])
        else { return nil }
        self.state = state
        self.cpuTicks = user &+ system
        self.startTicks = start
    }

    /// When the process started, by the boot time in `/proc/stat`.
    var startedAt: Date? {
        guard let bytes = try? readFile("/proc/stat", limit: 1 << 20) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("btime ") {
            guard let boot = Double(line.dropFirst(6)) else { return nil }
            return Date(timeIntervalSince1970: boot + Double(startTicks) / Self.ticksPerSecond)
        }
        return nil
    }

    static let ticksPerSecond = Double(max(1, sysconf(CInt(_SC_CLK_TCK))))
}

/// CPU use between two readings of one process.
struct CPUMeter {
    private var last: (ticks: UInt64, at: ContinuousClock.Instant)?

    /// Percent of one CPU since the last call (so 200 is two CPUs), to a tenth; nil at the first call.
    mutating func percent(_ status: ProcessStatus, at now: ContinuousClock.Instant = .now) -> Double? {
        defer { last = (status.cpuTicks, now) }
        guard let last, status.cpuTicks >= last.ticks else { return nil }
        let elapsed = (now - last.at) / .seconds(1)
        guard elapsed > 0.05 else { return nil }
        let busy = Double(status.cpuTicks - last.ticks) / ProcessStatus.ticksPerSecond
        return (busy / elapsed * 1000).rounded() / 10
    }
}
