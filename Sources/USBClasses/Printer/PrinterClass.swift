/// Numbers of the printer class (Printing Devices 1.1).
public enum PrinterClass {
    public static let interfaceClass: UInt8 = 0x07
    public static let printers: UInt8 = 0x01
    /// bInterfaceProtocol: data both ways.
    public static let bidirectional: UInt8 = 0x02

    /// bRequest of class requests (section 4.2).
    public enum Request: UInt8, Sendable {
        /// wIndex has the interface in its high byte, unlike all others.
        case getDeviceID = 0
        case getPortStatus = 1
        case softReset = 2
    }

    /// What GET_PORT_STATUS answers (section 4.2.2).
    public struct PortStatus: OptionSet, Sendable, Equatable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let notError = PortStatus(rawValue: 0x08)
        public static let selected = PortStatus(rawValue: 0x10)
        public static let paperEmpty = PortStatus(rawValue: 0x20)
    }

    /// An IEEE 1284 device ID with its length in front, big endian; `;`, `:` and what is not ASCII becomes `_`.
    public static func deviceID(model: String, serialNumber: String) -> [UInt8] {
        func value(_ text: String) -> [UInt8] {
            text.utf8.prefix(64).map { byte in
                (0x20...0x7E).contains(byte) && byte != UInt8(ascii: ";") && byte != UInt8(ascii: ":")
                    ? byte : UInt8(ascii: "_")
            }
        }
        let text =
            Array("MFG:2Virt;MDL:".utf8) + value(model) + Array(";CMD:RAW;CLS:PRINTER;SN:".utf8) + value(serialNumber)
            + Array(";".utf8)
        return UInt16(clamping: text.count + 2).bigEndianBytes + text
    }
}
