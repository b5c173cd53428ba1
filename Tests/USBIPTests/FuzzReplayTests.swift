import Testing
import USBIPTestKit

/// The seed corpora, and inputs derived from them the same way in every run. `Sources/FuzzUSBIP…` go further.
@Suite("USB/IP: fuzzed streams keep their promises")
struct FuzzReplayTests {
    static let targets: [(corpus: String, run: @Sendable ([UInt8]) -> String?)] = [
        ("session", { SessionFuzz.run($0) }), ("operations", { OperationFuzz.run($0) }),
    ]

    @Test(arguments: 0..<2) func seedsAreSound(target: Int) throws {
        let (name, run) = Self.targets[target]
        let corpus = try Fixtures.corpus(name)
        #expect(corpus.count >= 18)
        for seed in corpus {
            let fault = run(seed.bytes)
            #expect(fault == nil, "\(seed.name)")
        }
    }

    @Test(arguments: 0..<2) func mutatedSeedsAreSound(target: Int) throws {
        let (name, run) = Self.targets[target]
        let corpus = try Fixtures.corpus(name).map(\.bytes).filter { !$0.isEmpty }
        try #require(!corpus.isEmpty)
        var random = SplitMix64(state: 0x1BBD)
        for round in 0..<2000 {
            let input = mutate(corpus, &random)
            let fault = run(input)
            #expect(fault == nil, "round \(round): \(input)")
            if fault != nil { return }
        }
    }

    private func mutate(_ corpus: [[UInt8]], _ random: inout SplitMix64) -> [UInt8] {
        var input = corpus[Int.random(in: 0..<corpus.count, using: &random)]
        for _ in 0...Int.random(in: 0..<6, using: &random) where !input.isEmpty {
            let at = Int.random(in: 0..<input.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: input[at] = UInt8.random(in: 0...255, using: &random)
            case 1: input[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: input.remove(at: at)
            case 3: input.insert(UInt8.random(in: 0...255, using: &random), at: at)
            case 4: input[at] = [0, 0xFF, 0x7F, 0x80, 1, 2, 3].randomElement(using: &random) ?? 0
            default:
                let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
                input = Array(input[..<at]) + other.suffix(Int.random(in: 0...other.count, using: &random))
            }
        }
        return input
    }
}
