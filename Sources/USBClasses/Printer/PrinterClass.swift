/// Numbers of the printer class (Printing Devices 1.1).
public enum PrinterClass {
    public static let interfaceClass: UInt8 = 0x07
    public static let printers: UInt8 = 0x01
    /// bInterfaceProtocol: data both ways.
    public static let bidirectional: UInt8 = 0x02
    /// bInterfaceProtocol: HTTP/1.1 that carries IPP (IPP Protocol Specification 1.0 for the Print Interface Class).
    public static let ippOverUSB: UInt8 = 0x04

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
    public static func deviceID(model: String, commandSet: String = "RAW", serialNumber: String) -> [UInt8] {
        func value(_ text: String) -> [UInt8] {
            text.utf8.prefix(64).map { byte in
                (0x20...0x7E).contains(byte) && byte != UInt8(ascii: ";") && byte != UInt8(ascii: ":")
                    ? byte : UInt8(ascii: "_")
            }
        }
        let text =
            Array("MFG:2Virt;MDL:".utf8) + value(model) + Array(";CMD:".utf8) + value(commandSet)
            + Array(";CLS:PRINTER;SN:".utf8) + value(serialNumber) + Array(";".utf8)
        return UInt16(clamping: text.count + 2).bigEndianBytes + text
    }

    /// A printer's own IEEE 1284 device ID with its length in front; nil when it is none: without maker, model and command
    /// set, longer than a request can ask for, or not printable ASCII.
    public static func deviceID(ofPrinter text: [UInt8]) -> [UInt8]? {
        let keys = Set(
            text.split(separator: UInt8(ascii: ";")).compactMap { field in
                field.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false).first.map {
                    String(decoding: $0, as: UTF8.self)
                }
            })
        guard text.count <= 1021, text.allSatisfy({ (0x20...0x7E).contains($0) }),
            [["MFG", "MANUFACTURER"], ["MDL", "MODEL"], ["CMD", "COMMAND SET"]].allSatisfy({
                !keys.isDisjoint(with: $0)
            })
        else { return nil }
        return UInt16(text.count + 2).bigEndianBytes + text
    }

    /// What an IPP-over-USB printer can do, in its device info descriptor (IPP Protocol Specification section 4.3).
    public struct IPPCapabilities: OptionSet, Sendable, Equatable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let print = IPPCapabilities(rawValue: 0x01)
        /// Other resources than those of IPP, such as web pages.
        public static let anyHTTP = IPPCapabilities(rawValue: 0x10)
    }

    /// The device info descriptor, which follows each interface descriptor; IPP versions and printer UUID have no strings.
    public static func ippDescriptor(_ capabilities: IPPCapabilities) -> [UInt8] {
        // bLength, bDescriptorType, release 1.0, one descriptor: basic capabilities with 4 bytes.
        [10, 0x21, 0x10, 1, 0, 4, UInt8(truncatingIfNeeded: capabilities.rawValue), 0, 0, 0]
    }
}
