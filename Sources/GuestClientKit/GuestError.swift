import Glibc

/// Why a command failed, with the exit status that scripts can tell apart.
public enum GuestError: Error, Equatable, Sendable, CustomStringConvertible {
    case noSuchDevice(String)
    case busy(String)
    case permission(String)
    case failed(String)
    /// The host is not there, or does not want us.
    case refused(String)
    /// This guest's kernel lacks what it takes.
    case unsupported(String)
    /// No device of this guest was given such a service.
    case noSuchService(String)
    /// The service has no such operation, or not with such arguments.
    case badCall(String)
    /// The service itself said no, or something that makes no sense.
    case serviceFailed(String)
    /// The service does not answer.
    case serviceDown(String)

    /// 1 failed, 3 no such device, 4 claimed by somebody else, 5 permission, 6 refused by the host, 7 not supported by the
    /// kernel, 8 no such service, 9 the call does not fit the service, 10 the service failed, 11 it does not answer (2 is
    /// usage, by the argument parser).
    public var exitStatus: Int32 {
        switch self {
        case .failed: 1
        case .noSuchDevice: 3
        case .busy: 4
        case .permission: 5
        case .refused: 6
        case .unsupported: 7
        case .noSuchService: 8
        case .badCall: 9
        case .serviceFailed: 10
        case .serviceDown: 11
        }
    }

    /// The failure of another process of this program, by its exit status.
    init(exitStatus: Int32, _ text: String) {
        self =
            switch exitStatus {
            case 3: .noSuchDevice(text)
            case 4: .busy(text)
            case 5: .permission(text)
            case 6: .refused(text)
            case 7: .unsupported(text)
            default: .failed(text)
            }
    }

    public var description: String {
        switch self {
        case .noSuchDevice(let text), .busy(let text), .permission(let text), .failed(let text), .refused(let text),
            .unsupported(let text), .noSuchService(let text), .badCall(let text), .serviceFailed(let text),
            .serviceDown(let text):
            text
        }
    }

    /// The failure of a system call on `subject`, by errno.
    static func systemCall(_ code: Int32, _ subject: String) -> GuestError {
        switch code {
        case EACCES, EPERM:
            .permission(
                "\(subject): no permission. Run as root, or install the rule printed by '2virt-guest udev-rule'")
        case ENOENT, ENODEV, ENXIO, ESHUTDOWN: .noSuchDevice("\(subject): the device is gone")
        case EBUSY: .busy("\(subject): claimed by another program or driver")
        default: .failed("\(subject): \(errorText(code))")
        }
    }
}

/// The C library's text for an errno, e.g. "Broken pipe".
func errorText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
