/// Something that firmware does and that an engineer should know, said once for each place.
public enum Diagnostic: Sendable, Equatable, CustomStringConvertible {
    /// A register has been read very often without a change: where a silent hang usually is.
    case polling(register: String, address: UInt32, value: UInt32, programCounter: UInt32, location: String?)
    /// Firmware accessed an address where nothing is.
    case unmapped(address: UInt32, isWrite: Bool, programCounter: UInt32, location: String?)

    public var description: String {
        switch self {
        case .polling(let register, let address, let value, let pc, let location):
            "\(register) at \(hex(address)) polled without change, value \(hex(value)), from \(hex(pc))"
                + (location.map { " (\($0))" } ?? "")
        case .unmapped(let address, let isWrite, let pc, let location):
            "\(isWrite ? "write to" : "read from") \(hex(address)), where nothing is, from \(hex(pc))"
                + (location.map { " (\($0))" } ?? "")
        }
    }
}
