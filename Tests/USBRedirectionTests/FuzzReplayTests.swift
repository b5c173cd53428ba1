import Foundation
import RedirectionTestKit
import Testing

/// The seed corpus, and inputs derived from it the same way in every run. `Sources/FuzzUSBRedirection` goes further.
@Suite("usbredir session: fuzzed links keep their promises")
struct FuzzReplayTests {
    static var corpus: [(name: String, bytes: [UInt8])] {
        get throws {
            let directory = Fixtures.directory.appendingPathComponent("usbredir-corpus")
            return try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
                .map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
        }
    }

    @Test func seedsAreSound() throws {
        let corpus = try Self.corpus
        #expect(corpus.count >= 20)
        for seed in corpus { #expect(RedirectionFuzz.run(seed.bytes) == nil, "\(seed.name)") }
    }

    @Test func mutatedSeedsAreSound() throws {
        let corpus = try Self.corpus.map(\.bytes).filter { !$0.isEmpty }
        try #require(!corpus.isEmpty)
        var random = SplitMix64(state: 0x2717)
        for round in 0..<4000 {
            let input = mutate(corpus, &random)
            let fault = RedirectionFuzz.run(input)
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
            case 4: input[at] = [0, 0xFF, 0x7F, 0x80, 0x81, 0x82].randomElement(using: &random) ?? 0
            default:
                let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
                input = Array(input[..<at]) + other.suffix(Int.random(in: 0...other.count, using: &random))
            }
        }
        return input
    }
}

/// A small generator with the same numbers everywhere (Steele, Lea, Flood 2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
