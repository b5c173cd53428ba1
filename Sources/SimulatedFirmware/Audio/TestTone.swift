import Glibc

/// What the microphone hears: a sine in which each millisecond carries its number, so that a recording can be checked
/// sample by sample and nothing can be missing unseen, not even whole periods.
///
/// 48 kHz, 16 bits, one channel. Sample `i` (0...47) of millisecond `n` is `round(16384 · sin(2π · f · (48 n + i) / 48000))`
/// with its lowest bit replaced: by bit `i` of `n` for samples 0...31, by bit `i - 32` of `marker` for samples 32...47.
public struct TestTone: Sendable, Equatable {
    public static let samplingFrequency = 48_000
    public static let samplesPerMillisecond = 48
    /// Lowest bits of samples 32...47 of each millisecond, from bit 0 up.
    public static let marker: UInt16 = 0xB8E1
    /// Hertz that can be heard, and told apart from silence and from half the sampling frequency.
    public static let frequencies = 20...20_000

    /// Hertz.
    public let frequency: Int
    /// One period, or as many as it takes to come out even: at most a second.
    private let sine: [Int16]

    /// - Throws: `CatalogueError.badTone` when `frequency` is not in `frequencies`.
    public init(frequency: Int) throws(CatalogueError) {
        guard Self.frequencies.contains(frequency) else { throw .badTone(frequency) }
        self.frequency = frequency
        var (common, rest) = (Self.samplingFrequency, frequency)
        while rest != 0 { (common, rest) = (rest, common % rest) }
        sine = (0..<Self.samplingFrequency / common).map { index in
            // The angle is taken modulo a turn in integers, so that all periods are alike to the last bit.
            let turn = Double(index * frequency % Self.samplingFrequency) / Double(Self.samplingFrequency)
            return Int16((16384 * sin(2 * .pi * turn)).rounded())
        }
    }

    /// Sample `index` counted from the beginning of millisecond 0.
    public subscript(index: Int) -> Int16 {
        let millisecond = index / Self.samplesPerMillisecond
        let position = index % Self.samplesPerMillisecond
        let bit =
            position < 32
            ? Int16(truncatingIfNeeded: millisecond >> position & 1)
            : Int16(truncatingIfNeeded: Self.marker >> UInt16(position - 32) & 1)
        return sine[index % sine.count] & ~1 | bit
    }

    /// One millisecond as the USB packet carries it: 96 bytes, little endian.
    public func bytes(ofMillisecond millisecond: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * Self.samplesPerMillisecond)
        let first = max(0, millisecond) * Self.samplesPerMillisecond
        for index in first..<first + Self.samplesPerMillisecond {
            let sample = UInt16(bitPattern: self[index])
            bytes.append(UInt8(truncatingIfNeeded: sample))
            bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
        }
        return bytes
    }
}
