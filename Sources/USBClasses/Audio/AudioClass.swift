import USBCore

/// Numbers and descriptors of the audio device class 1.0.
public enum AudioClass {
    public static let interfaceClass: UInt8 = 0x01
    public static let controlSubClass: UInt8 = 0x01
    public static let streamingSubClass: UInt8 = 0x02

    /// bRequest of class requests (Audio 1.0 table A-9).
    public enum Request: UInt8, Sendable {
        case setCurrent = 0x01
        case getCurrent = 0x81
        case getMinimum = 0x82
        case getMaximum = 0x83
        case getResolution = 0x84

        /// The name in the specification.
        public var name: String {
            switch self {
            case .setCurrent: "SET_CUR"
            case .getCurrent: "GET_CUR"
            case .getMinimum: "GET_MIN"
            case .getMaximum: "GET_MAX"
            case .getResolution: "GET_RES"
            }
        }
    }

    /// Control selector of a streaming endpoint, the high byte of wValue (Audio 1.0 table A-19).
    public static let samplingFrequencyControl: UInt8 = 0x01

    /// The control interface's descriptors of one microphone terminal that feeds one USB stream (Audio 1.0 section
    /// 4.3.2); the streaming interface is the one after `firstInterface`.
    public static func microphoneControlDescriptors(firstInterface: UInt8) -> [[UInt8]] {
        let terminals: [[UInt8]] = [
            // Input terminal 1: microphone, one channel, no spatial position.
            [12, 0x24, 0x02, 1, 0x01, 0x02, 0, 1, 0, 0, 0, 0],
            // Output terminal 2: USB streaming, fed by terminal 1.
            [9, 0x24, 0x03, 2, 0x01, 0x01, 0, 1, 0],
        ]
        let total = UInt8(9 + terminals.map(\.count).reduce(0, +))
        return [[9, 0x24, 0x01, 0x00, 0x01, total, 0, 1, firstInterface &+ 1]] + terminals
    }

    /// A streaming interface's descriptors: 16-bit PCM of terminal 2 at one sampling frequency (Audio 1.0 section 4.5,
    /// Audio Data Formats 1.0 section 2.2).
    public static func pcmStreamingDescriptors(channels: UInt8, samplingFrequency: Int) -> [[UInt8]] {
        [
            [7, 0x24, 0x01, 2, 1, 0x01, 0x00],
            [11, 0x24, 0x02, 0x01, channels, 2, 16, 1] + frequencyBytes(samplingFrequency),
        ]
    }

    /// The class descriptor of a streaming endpoint with a sampling frequency control (Audio 1.0 section 4.6.1.2).
    public static let streamingEndpointDescriptor: [UInt8] = [7, 0x25, 0x01, 0x01, 0, 0, 0]

    /// Hertz in three bytes (Audio 1.0 section 5.2.3.2.3.1).
    public static func frequencyBytes(_ hertz: Int) -> [UInt8] {
        (0..<3).map { UInt8(truncatingIfNeeded: hertz >> (8 * $0)) }
    }

    /// Hertz out of three bytes; nil for any other count.
    public static func frequency(_ bytes: [UInt8]) -> Int? {
        guard bytes.count == 3 else { return nil }
        return Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
    }
}
