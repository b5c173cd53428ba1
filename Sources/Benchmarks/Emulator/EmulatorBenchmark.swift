import FirmwareEmulator
import Foundation
import UnicornPeer

/// How fast our CPU runs firmware beside Unicorn, and what idle devices cost: the same image, in turn, in one run. Ours has its interrupts, its
/// SysTick and its virtual time; Unicorn has its callbacks for registers and nothing else. Times are the thread's own.
public struct EmulatorBenchmark: Sendable {
    public let repetitions: Int
    /// Unicorn's library; nil for the system's.
    public let library: String?
    private static let rounds = 300

    public init(repetitions: Int, library: String?) {
        self.repetitions = max(1, repetitions)
        self.library = library
    }

    public func run(progress: @Sendable (String) -> Void) async throws -> [BenchmarkResult] {
        var results: [BenchmarkResult] = []
        for core in EmulatorWorkload.Core.allCases {
            progress("\(core.rawValue): compiling")
            let workload = try EmulatorWorkload(core: core, rounds: Self.rounds)
            let instructions = try countInstructions(core)
            var ours: [Double] = [], peer: [Double] = []
            var version = ""
            for repetition in 1...repetitions {
                try Task.checkCancellation()
                progress("\(core.rawValue): \(repetition) of \(repetitions)")
                let run = try runOurs(workload)
                ours.append(instructions / run.seconds / 1e6)
                let other = try runUnicorn(workload, until: run.end)
                peer.append(instructions / other.seconds / 1e6)
                version = other.version
                guard run.result == other.result else {
                    throw BenchmarkError.environment(
                        "\(core.rawValue): ours computed \(run.result), Unicorn \(other.result)")
                }
            }
            results.append(
                try BenchmarkResult(
                    name: core.rawValue, ours: Statistics.median(ours) ?? 0, peer: Statistics.median(peer) ?? 0,
                    peerName: "Unicorn \(version)", unit: "MIPS", higherIsBetter: true))
        }
        return try await results + idleDevices(progress)
    }

    /// There is no peer that emulates whole devices: these are beside their goals.
    private func idleDevices(_ progress: @Sendable (String) -> Void) async throws -> [BenchmarkResult] {
        let count = 64
        progress("\(count) idle devices")
        let result = try await IdleDevices().run(count: count, seconds: 5, requests: 500)
        return [
            try BenchmarkResult(
                name: "idle-device-cpu", ours: result.cores / Double(count), peer: 1, peerName: "goal, one of \(count)",
                unit: "% of a core", higherIsBetter: false),
            try BenchmarkResult(
                name: "control-p50", ours: Statistics.percentile(50, of: result.latencies) ?? 0, peer: 5,
                peerName: "goal for p99", unit: "ms", higherIsBetter: false),
            try BenchmarkResult(
                name: "control-p99", ours: Statistics.percentile(99, of: result.latencies) ?? 0, peer: 5,
                peerName: "goal", unit: "ms", higherIsBetter: false),
        ]
    }

    /// The workload's instructions, from a short one that is stepped through: the rounds are alike.
    private func countInstructions(_ core: EmulatorWorkload.Core) throws -> Double {
        func count(_ rounds: Int) throws -> Double {
            let machine = try self.machine(try EmulatorWorkload(core: core, rounds: rounds))
            var steps = 0.0
            while true {
                guard case .stopped = machine.step() else { return steps }
                steps += 1
            }
        }
        let one = try count(1)
        return one + (try count(3) - one) / 2 * Double(Self.rounds - 1)
    }

    private func machine(_ workload: EmulatorWorkload) throws -> Machine {
        let machine = Machine(model: workload.core == .cortexM0 ? .cortexM0 : .cortexM3, hertz: 48_000_000)
        let flash = machine.memory.addFlash(at: EmulatorWorkload.flashBase, size: EmulatorWorkload.flashSize)
        machine.memory.addRAM(at: EmulatorWorkload.ramBase, size: EmulatorWorkload.ramSize)
        machine.memory.setAlias(at: 0, to: flash)
        machine.memory.add(Port())
        flash.write(workload.image, at: 0)
        machine.haltsOnBKPT = true
        machine.reset()
        return machine
    }

    private func runOurs(_ workload: EmulatorWorkload) throws -> (seconds: Double, end: UInt32, result: UInt32) {
        let machine = try machine(workload)
        let start = Self.threadTime()
        while true {
            switch machine.run(untilCycle: machine.clock.now + 48_000) {
            case .sliceOver, .sleeping: continue
            case .breakpoint(let address):
                let seconds = Self.threadTime() - start
                return (seconds, address, machine.memory.read(EmulatorWorkload.resultAddress, width: .word) ?? 0)
            case let other: throw BenchmarkError.environment("our CPU ended with \(other)")
            }
        }
    }

    private func runUnicorn(
        _ workload: EmulatorWorkload, until end: UInt32
    ) throws -> (seconds: Double, version: String, result: UInt32) {
        let unicorn = try Unicorn(library: library, model: workload.core == .cortexM0 ? .cortexM0 : .cortexM3)
        try unicorn.map(EmulatorWorkload.flashBase, size: Int(EmulatorWorkload.flashSize))
        try unicorn.map(EmulatorWorkload.ramBase, size: Int(EmulatorWorkload.ramSize))
        let accesses = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        defer { accesses.deallocate() }
        accesses.initialize(to: 0)
        try unicorn.mapRegisters(0x4800_0000, size: 0x1000, counter: accesses)
        try unicorn.mapRegisters(0xE000_E000, size: 0x1000, counter: accesses)
        try unicorn.write(workload.image, at: EmulatorWorkload.flashBase)
        unicorn[.sp] = EmulatorWorkload.ramBase + EmulatorWorkload.ramSize
        let entry = workload.image[4..<8].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let start = Self.threadTime()
        let code = unicorn.run(from: entry & ~1, until: end)
        let seconds = Self.threadTime() - start
        guard code == 0 else { throw BenchmarkError.environment("Unicorn ended with \(code)") }
        let result = try unicorn.read(EmulatorWorkload.resultAddress, count: 4)
        return (seconds, unicorn.version, result.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func threadTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The port that the firmware writes to.
    private final class Port: Peripheral {
        let name = "GPIOA"
        let base: UInt32 = 0x4800_0000
        let size: UInt32 = 0x400
        private var output: UInt32 = 0

        func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { offset == 0x14 ? output : 0 }
        func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
            switch offset {
            case 0x14: output = value & 0xFFFF
            case 0x18: output = output & ~(value >> 16) | value & 0xFFFF
            default: break
            }
        }
        func reset() { output = 0 }
    }
}
