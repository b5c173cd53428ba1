import FirmwareTestKit
import Foundation
import Testing

/// The seed corpus, and inputs derived from it the same way in every run. `Sources/FuzzFirmwareImages` goes further.
@Suite("Firmware images: fuzzed ones are refused or run")
struct FuzzReplayTests {
    static var corpus: [(name: String, bytes: [UInt8])] {
        get throws {
            let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../Fixtures/firmware-corpus").standardizedFileURL
            return try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
                .map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
        }
    }

    @Test func seedsAreSound() throws {
        let corpus = try Self.corpus
        #expect(corpus.count >= 16)
        for seed in corpus { #expect(FirmwareFuzz.run(seed.bytes) == nil, "\(seed.name)") }
    }

    @Test func mutatedSeedsAreSound() throws {
        let corpus = try Self.corpus
        try #require(!corpus.isEmpty)
        var state: UInt64 = 0x2040
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % limit
        }
        for round in 0..<600 {
            let seed = corpus[random(corpus.count)]
            var input = seed.bytes
            for _ in 0...random(8) { input[random(input.count)] ^= UInt8(1 << random(8)) }
            if random(4) == 0 { input.removeLast(random(input.count)) }
            #expect(FirmwareFuzz.run(input) == nil, "round \(round), \(seed.name)")
        }
    }
}
