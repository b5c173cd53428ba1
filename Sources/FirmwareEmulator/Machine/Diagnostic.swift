/// Something that firmware does and that an engineer should know, said once for each place.
public enum Diagnostic: Sendable, Equatable, CustomStringConvertible {
    /// A register has been read very often without a change: where a silent hang usually is.
    case polling(register: String, address: UInt32, value: UInt32, programCounter: UInt32, location: String?)
    /// An instruction failed and firmware's own handler was called; most are endless loops.
    case fault(FaultReport)

    /// The chip was started at an image's own vectors.
    case missingBootLoader(vectors: UInt32)
    /// Firmware asked for a boot loader in ROM that is the maker's, and not there.
    case bootLoaderInROM

    public var description: String {
        switch self {
        case .polling(let register, let address, let value, let pc, let location):
            "\(register) at \(hex(address)) polled without change, value \(hex(value)), from \(hex(pc))"
                + (location.map { " (\($0))" } ?? "")
        case .fault(let report): report.description
        case .missingBootLoader(let vectors):
            "no boot loader at the begin of flash: started at \(hex(vectors)), where the image has its vectors"
        case .bootLoaderInROM:
            "firmware has gone to the USB boot loader in ROM, which is not emulated: reset the device to start it again"
        }
    }
}
