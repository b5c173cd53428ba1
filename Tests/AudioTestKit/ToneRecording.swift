import SimulatedFirmware

/// What a guest has recorded of a `TestTone`, checked sample by sample.
public struct ToneRecording: Sendable, Equatable {
    /// A place where the recording does not go on with the sample that was due.
    public struct Fault: Sendable, Equatable {
        /// Sample of the recording.
        public var at: Int
        /// Samples of the tone that are left out there; negative where it repeats, nil where the tone is not found again.
        public var missing: Int?
    }

    /// Samples checked.
    public private(set) var samples = 0
    /// The tone's sample that the recording begins with; nil when no tone was found.
    public private(set) var firstSample: Int?
    public private(set) var faults: [Fault] = []

    /// Whether every sample is the tone's, and none is missing.
    public var isFlawless: Bool { firstSample != nil && faults.isEmpty }
    /// Length in whole milliseconds.
    public var milliseconds: Int { samples / TestTone.samplesPerMillisecond }

    /// - Parameter bytes: 16-bit little-endian samples of one channel, from any place of the tone on.
    public init(_ bytes: [UInt8], of tone: TestTone) {
        let recorded = stride(from: 0, to: bytes.count - 1, by: 2).map {
            Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
        }
        samples = recorded.count
        guard var next = Self.place(of: tone, in: recorded, from: 0) else {
            faults = [Fault(at: 0, missing: nil)]
            return
        }
        firstSample = next
        for index in recorded.indices {
            if recorded[index] != tone[next] {
                guard let found = Self.place(of: tone, in: recorded, from: index) else {
                    faults.append(Fault(at: index, missing: nil))
                    return
                }
                faults.append(Fault(at: index, missing: found - next))
                next = found
            }
            next += 1
        }
    }

    /// The tone's sample number at `start`, read from the next whole millisecond; nil when there is none or it lies.
    private static func place(of tone: TestTone, in recorded: [Int16], from start: Int) -> Int? {
        let length = TestTone.samplesPerMillisecond
        func bits(_ range: Range<Int>) -> UInt64 {
            range.enumerated().reduce(0) { $0 | UInt64(recorded[$1.element] & 1) << UInt64($1.offset) }
        }
        var begin = start
        while begin + length <= recorded.count, begin < start + 2 * length {
            if bits(begin + 32..<begin + length) == UInt64(TestTone.marker) {
                let first = Int(bits(begin..<begin + 32)) * length
                if (0..<length).allSatisfy({ recorded[begin + $0] == tone[first + $0] }) {
                    return first - (begin - start) >= 0 ? first - (begin - start) : nil
                }
            }
            begin += 1
        }
        return nil
    }
}

extension ToneRecording: CustomStringConvertible {
    public var description: String {
        let list = faults.prefix(10).map { "at \($0.at): \($0.missing.map { "\($0) missing" } ?? "no tone")" }
        return "\(milliseconds) ms from sample \(firstSample.map(String.init) ?? "?"), \(faults.count) faults "
            + list.joined(separator: "; ")
    }
}
