import CPUDifferential
import Foundation
import Testing

@Suite("Random code does on our CPU what it does on Unicorn")
struct CPUDifferentialTests {
    /// More of it: `CPU_DIFFERENTIAL_INSTRUCTIONS=10000000`.
    private var count: Int {
        ProcessInfo.processInfo.environment["CPU_DIFFERENTIAL_INSTRUCTIONS"].flatMap(Int.init) ?? 20_000
    }

    @Test(arguments: CPUDifferential.Architecture.allCases)
    func registersFlagsAndMemory(architecture: CPUDifferential.Architecture) throws {
        var differential = try CPUDifferential(architecture, seed: 20_261_122)
        let result = try differential.run(instructions: count)
        #expect(result.instructions >= count)
    }
}
