/// Finds packets in the bytes of the GDB remote serial protocol: `$`, the body with escapes, `#`, two digits.
struct GDBPacketReader {
    enum Event: Equatable {
        case nothing
        case packet([UInt8])
        /// The checksum is wrong or the packet too long.
        case damaged
        /// Byte 3 outside of a packet.
        case interrupt
    }

    private enum State {
        case outside
        case body(isEscaped: Bool)
        case checksum(first: UInt8?)
    }

    static let limit = 0x8000
    private var state = State.outside
    private var body: [UInt8] = []
    private var sum: UInt8 = 0

    mutating func take(_ byte: UInt8) -> Event {
        switch state {
        case .outside:
            if byte == 3 { return .interrupt }
            if byte == UInt8(ascii: "$") {
                body.removeAll(keepingCapacity: true)
                sum = 0
                state = .body(isEscaped: false)
            }
        case .body(let isEscaped):
            if byte == UInt8(ascii: "#"), !isEscaped {
                state = .checksum(first: nil)
                return .nothing
            }
            sum &+= byte
            if byte == UInt8(ascii: "}"), !isEscaped {
                state = .body(isEscaped: true)
                return .nothing
            }
            guard body.count < Self.limit else {
                state = .outside
                return .damaged
            }
            body.append(isEscaped ? byte ^ 0x20 : byte)
            state = .body(isEscaped: false)
        case .checksum(nil): state = .checksum(first: byte)
        case .checksum(let first?):
            state = .outside
            let expected = UInt8(String(decoding: [first, byte], as: UTF8.self), radix: 16)
            return expected == sum ? .packet(body) : .damaged
        }
        return .nothing
    }
}
