/// Line coding of a CDC serial port (PSTN 1.2 table 17).
public struct LineCoding: Sendable, Equatable, CustomStringConvertible {
    /// bCharFormat.
    public enum StopBits: UInt8, Sendable {
        case one = 0
        case oneAndHalf
        case two
    }

    /// bParityType.
    public enum Parity: UInt8, Sendable {
        case none = 0
        case odd
        case even
        case mark
        case space
    }

    /// dwDTERate, bits per second.
    public var rate: UInt32
    public var stopBits: StopBits
    public var parity: Parity
    /// bDataBits: 5, 6, 7, 8 or 16.
    public var dataBits: UInt8

    public init(rate: UInt32 = 115_200, stopBits: StopBits = .one, parity: Parity = .none, dataBits: UInt8 = 8) {
        self.rate = rate
        self.stopBits = stopBits
        self.parity = parity
        self.dataBits = dataBits
    }

    /// nil unless these are seven bytes with values that the table knows.
    public init?(bytes: some Collection<UInt8>) {
        let raw = Array(bytes.prefix(8))
        guard raw.count == 7, let stopBits = StopBits(rawValue: raw[4]), let parity = Parity(rawValue: raw[5]),
            (5...8).contains(raw[6]) || raw[6] == 16
        else { return nil }
        let rate = UInt32(raw[0]) | UInt32(raw[1]) << 8 | UInt32(raw[2]) << 16 | UInt32(raw[3]) << 24
        self.init(rate: rate, stopBits: stopBits, parity: parity, dataBits: raw[6])
    }

    /// The seven bytes as they go over the wire.
    public var bytes: [UInt8] {
        [
            UInt8(truncatingIfNeeded: rate), UInt8(truncatingIfNeeded: rate >> 8),
            UInt8(truncatingIfNeeded: rate >> 16), UInt8(truncatingIfNeeded: rate >> 24),
            stopBits.rawValue, parity.rawValue, dataBits,
        ]
    }

    /// `115200 8N1`.
    public var description: String {
        let letter =
            switch parity {
            case .none: "N"
            case .odd: "O"
            case .even: "E"
            case .mark: "M"
            case .space: "S"
            }
        let stop =
            switch stopBits {
            case .one: "1"
            case .oneAndHalf: "1.5"
            case .two: "2"
            }
        return "\(rate) \(dataBits)\(letter)\(stop)"
    }
}
