import NIOCore

/// `code` of an operation's header.
public enum OperationCode: UInt16, Sendable, Equatable {
    case requestDeviceList = 0x8005
    case replyDeviceList = 0x0005
    case requestImport = 0x8003
    case replyImport = 0x0003
}

/// `status` of a reply's header; a reply with another one than `ok` ends there.
public struct OperationStatus: RawRepresentable, Sendable, Equatable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let ok = OperationStatus(rawValue: 0)
    /// What usbipd answers for a device that another client has.
    public static let notAvailable = OperationStatus(rawValue: 1)
    public static let busy = OperationStatus(rawValue: 2)
    public static let deviceError = OperationStatus(rawValue: 3)
    public static let noDevice = OperationStatus(rawValue: 4)
    public static let error = OperationStatus(rawValue: 5)

    public var description: String {
        switch self {
        case .ok: "ok"
        case .notAvailable: "not available (another client has it)"
        case .busy: "busy"
        case .deviceError: "device in error"
        case .noDevice: "no such device"
        case .error: "error"
        default: "status \(rawValue)"
        }
    }
}

/// The eight bytes that every operation starts with.
struct OperationHeader {
    static let version: UInt16 = 0x0111
    static let length = 8

    var code: OperationCode
    var status = OperationStatus.ok

    func write(to buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(Self.version, code.rawValue, status.rawValue)
    }

    /// Judges the version as soon as two bytes are there; nil when more are needed. Does not move the reader.
    static func peek(_ buffer: ByteBuffer) throws(USBIPError) -> OperationHeader? {
        let start = buffer.readerIndex
        guard let version = buffer.getInteger(at: start, as: UInt16.self) else { return nil }
        guard version == Self.version else { throw .unknownVersion(version) }
        guard let code = buffer.getInteger(at: start + 2, as: UInt16.self) else { return nil }
        guard let known = OperationCode(rawValue: code) else { throw .unknownOperation(code) }
        guard let status = buffer.getInteger(at: start + 4, as: UInt32.self) else { return nil }
        return OperationHeader(code: known, status: OperationStatus(rawValue: status))
    }
}
