/// Why a device could not be plugged or unplugged; the text says what to do.
public enum PlugError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownVM(String)
    case notControllable(vm: String, reason: String)
    case noController(vm: String)
    /// One reason for each controller.
    case noSuitablePort(vm: String, device: String, reasons: [String])
    case unknownBus(vm: String, bus: String, known: [String])
    case badPort(vm: String, bus: String, port: Int, reason: String)
    case badSocketPath(String)
    case alreadyPlugged(vm: String, device: String, qdevID: String)
    case chardevRefused(vm: String, socketPath: String, text: String)
    case deviceRefused(vm: String, device: String, text: String)
    /// The device's side of the wire could not be set up.
    case notPrepared(device: String, text: String)
    case notDeleted(vm: String, qdevID: String, seconds: Double)
    case qmp(vm: String, QMPError)

    public var description: String {
        switch self {
        case .unknownVM(let vm): "there is no VM \(vm)"
        case .notControllable(let vm, let reason): "VM \(vm) cannot be controlled: \(reason)"
        case .noController(let vm):
            "VM \(vm) has no USB controller: start it with -device qemu-xhci,id=xhci"
        case .noSuitablePort(let vm, let device, let reasons):
            "no port of VM \(vm) takes \(device): \(reasons.joined(separator: "; ")); "
                + "unplug a device, or start the VM with -device qemu-xhci,id=xhci,p2=15,p3=15"
        case .unknownBus(let vm, let bus, let known):
            "VM \(vm) has no USB bus \(bus); it has \(known.joined(separator: ", "))"
        case .badPort(let vm, let bus, let port, let reason): "port \(port) of \(bus) in VM \(vm): \(reason)"
        case .badSocketPath(let path): "the socket path \(path) must have 1 to 107 bytes and no NUL"
        case .alreadyPlugged(let vm, let device, let id): "\(device) is plugged into VM \(vm) already, as \(id)"
        case .chardevRefused(let vm, let path, let text):
            "QEMU of VM \(vm) cannot connect to \(path): \(text); QEMU's user must be able to reach it"
        case .deviceRefused(let vm, let device, let text):
            "VM \(vm) refused \(device): \(text)" + Self.hint(text)
        case .notPrepared(let device, let text): "the wire for \(device) could not be set up: \(text)"
        case .notDeleted(let vm, let id, let seconds):
            "VM \(vm) did not delete \(id) within \(Int(exactly: seconds.rounded()) ?? 0) s; it may still be plugged"
        case .qmp(let vm, let error): "VM \(vm): \(error)"
        }
    }

    private static func hint(_ text: String) -> String {
        text.contains("not a valid device model name")
            ? "; this QEMU lacks usb-redir: install its USB redirection module" : ""
    }
}
