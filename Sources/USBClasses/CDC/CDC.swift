/// Numbers of the communications device class (CDC 1.2, PSTN 1.2).
public enum CDC {
    /// bInterfaceClass of a communications interface.
    public static let communicationsClass: UInt8 = 0x02
    /// bInterfaceClass of a data interface.
    public static let dataClass: UInt8 = 0x0A
    /// bInterfaceSubClass: abstract control model.
    public static let abstractControlModel: UInt8 = 0x02
    /// bInterfaceProtocol: AT commands (V.250), which in-box drivers look for.
    public static let atCommands: UInt8 = 0x01

    /// bRequest of class requests (CDC 1.2 table 19, PSTN 1.2 table 13).
    public enum Request: UInt8, Sendable {
        case sendEncapsulatedCommand = 0x00
        case getEncapsulatedResponse = 0x01
        case setCommFeature = 0x02
        case getCommFeature = 0x03
        case clearCommFeature = 0x04
        case setLineCoding = 0x20
        case getLineCoding = 0x21
        case setControlLineState = 0x22
        case sendBreak = 0x23

        /// The name in the specification.
        public var name: String {
            switch self {
            case .sendEncapsulatedCommand: "SEND_ENCAPSULATED_COMMAND"
            case .getEncapsulatedResponse: "GET_ENCAPSULATED_RESPONSE"
            case .setCommFeature: "SET_COMM_FEATURE"
            case .getCommFeature: "GET_COMM_FEATURE"
            case .clearCommFeature: "CLEAR_COMM_FEATURE"
            case .setLineCoding: "SET_LINE_CODING"
            case .getLineCoding: "GET_LINE_CODING"
            case .setControlLineState: "SET_CONTROL_LINE_STATE"
            case .sendBreak: "SEND_BREAK"
            }
        }
    }

    /// bNotificationCode (CDC 1.2 table 20).
    public enum Notification: UInt8, Sendable {
        case networkConnection = 0x00
        case responseAvailable = 0x01
        case serialState = 0x20

        /// The name in the specification.
        public var name: String {
            switch self {
            case .networkConnection: "NETWORK_CONNECTION"
            case .responseAvailable: "RESPONSE_AVAILABLE"
            case .serialState: "SERIAL_STATE"
            }
        }
    }

    /// Class descriptors of an abstract control model function: header, call management, ACM, union
    /// (CDC 1.2 section 5.2.3, PSTN 1.2 section 5.3); the data interface follows the communications interface.
    public static func acmDescriptors(firstInterface: UInt8) -> [[UInt8]] {
        let data = firstInterface &+ 1
        return [
            [5, 0x24, 0x00, 0x20, 0x01],
            // The device does not handle call management.
            [5, 0x24, 0x01, 0x00, data],
            // Line coding, control lines and serial state; SEND_BREAK.
            [4, 0x24, 0x02, 0x06],
            [5, 0x24, 0x06, firstInterface, data],
        ]
    }

    /// A SERIAL_STATE notification, ten bytes (PSTN 1.2 section 6.5.4).
    public static func serialStateNotification(_ state: SerialState, interface: UInt8) -> [UInt8] {
        [0xA1, Notification.serialState.rawValue, 0, 0, interface, 0, 2, 0, state.rawValue, 0]
    }
}

/// Signals of a serial port that go from device to host: bits of SERIAL_STATE (PSTN 1.2 table 31).
public struct SerialState: OptionSet, Sendable, Equatable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// bRxCarrier, DCD.
    public static let carrier = SerialState(rawValue: 1)
    /// bTxCarrier, DSR.
    public static let dataSetReady = SerialState(rawValue: 2)
    public static let breakReceived = SerialState(rawValue: 4)
    public static let ring = SerialState(rawValue: 8)
    public static let framingError = SerialState(rawValue: 16)
    public static let parityError = SerialState(rawValue: 32)
    public static let overrun = SerialState(rawValue: 64)

    /// Names of the signals that are on, such as `DCD DSR`.
    public var names: [String] {
        let all: [(SerialState, String)] = [
            (.carrier, "DCD"), (.dataSetReady, "DSR"), (.breakReceived, "BREAK"), (.ring, "RING"),
            (.framingError, "FRAMING"), (.parityError, "PARITY"), (.overrun, "OVERRUN"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// Signals of a serial port that go from host to device: wValue of SET_CONTROL_LINE_STATE (PSTN 1.2 table 18).
public struct ControlLines: OptionSet, Sendable, Equatable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let dataTerminalReady = ControlLines(rawValue: 1)
    public static let requestToSend = ControlLines(rawValue: 2)

    /// Names of the signals that are on, such as `DTR RTS`.
    public var names: [String] {
        (contains(.dataTerminalReady) ? ["DTR"] : []) + (contains(.requestToSend) ? ["RTS"] : [])
    }
}
