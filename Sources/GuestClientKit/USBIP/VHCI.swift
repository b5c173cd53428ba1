import CUSBFS
import Glibc
import USBIPCodec

/// The kernel's virtual USB host controller (vhci-hcd), which speaks USB/IP on sockets it is given.
public struct VHCI: Sendable {
    /// The first controller's folder speaks for all of them.
    private let folder: String
    private let stateFolder: String
    private let usbRoot: String

    public init(
        folder: String = "/sys/devices/platform/vhci_hcd.0", stateFolder: String = "/var/run/vhci_hcd",
        usbRoot: String = USBTree.systemRoot
    ) {
        self.folder = folder
        self.stateFolder = stateFolder
        self.usbRoot = usbRoot
    }

    // MARK: The driver

    /// Loads the driver where it is missing, and makes sure that we may use it.
    public func prepare() throws(GuestError) {
        if access("\(folder)/status", F_OK) != 0 {
            guard geteuid() == 0 else {
                throw .permission("the driver vhci-hcd is not loaded, and loading it needs root")
            }
            let status = ProgramRun.wait("modprobe", ["vhci-hcd"])
            guard access("\(folder)/status", F_OK) == 0 else {
                throw .unsupported(
                    "this guest's kernel has no vhci-hcd (modprobe vhci-hcd: \(status)); install the kernel's "
                        + "modules package, such as linux-modules-extra, or plug by usbredir instead")
            }
        }
        guard access("\(folder)/attach", W_OK) == 0 else { throw .permission("attaching a device needs root") }
    }

    // MARK: Ports

    /// All ports of all controllers, by number.
    public func ports() throws(GuestError) -> [VHCIPort] {
        var ports: [VHCIPort] = []
        // `status` is the first controller's, `status.1` the second's. A file of sysfs holds a page at most.
        for index in 0..<64 {
            guard let bytes = SystemFile.bytes("\(folder)/status" + (index == 0 ? "" : ".\(index)")) else {
                guard index > 0 else {
                    throw .unsupported("the driver vhci-hcd is not loaded: nothing is attached over the network")
                }
                break
            }
            let lines = bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
            ports += lines.compactMap { VHCIPort(statusLine: $0) }
        }
        return ports.sorted { $0.number < $1.number }
    }

    /// Whether the guest took the device away from itself (sysfs `remove`) although the port holds the connection.
    public func isRemoved(_ port: VHCIPort) -> Bool {
        guard port.state == .used, let name = port.localName, access("\(usbRoot)/\(name)", F_OK) != 0 else {
            return false
        }
        // The port was read before. A device that goes with its connection goes after it: by now the port tells.
        guard let now = try? ports().first(where: { $0.number == port.number }) else { return false }
        return now == port
    }

    /// Gives an imported device's socket to the kernel; returns the port it hangs on.
    func attach(_ stream: StreamSocket, _ record: DeviceRecord) throws(GuestError) -> Int {
        let hub: VHCIPort.Hub
        switch record.speed {
        case .low, .full, .high: hub = .highSpeed
        case .super: hub = .superSpeed
        default:
            throw .failed("\(stream.peer): the device runs at a speed (\(record.speed.rawValue)) that vhci-hcd refuses")
        }
        stream.makeBlocking()
        for port in try ports() where port.hub == hub && port.state == .free {
            let text = "\(port.number) \(stream.fileDescriptor) \(record.deviceID) \(record.speed.rawValue)"
            let code = SystemFile.write(text, to: "\(folder)/attach")
            if code == 0 { return port.number }
            // Another program took the port meanwhile.
            guard code == EBUSY else { throw failure(code, "vhci-hcd does not take the device") }
        }
        throw .busy("all \(hub == .superSpeed ? "SuperSpeed" : "high speed") ports of vhci-hcd are in use; detach one")
    }

    /// Takes a port's device out and returns once the port is free again.
    public func detach(_ port: Int) throws(GuestError) {
        // Before the device goes: whoever watches tells by it that this is the guest's will and no loss.
        forget(port)
        let code = SystemFile.write("\(port)", to: "\(folder)/detach")
        // EINVAL: it was free, or just became so.
        guard code == 0 || code == EINVAL else { throw failure(code, "port \(port) cannot be detached") }
        let deadline = monotonicMilliseconds() + 5000
        while let now = try ports().first(where: { $0.number == port }), now.state != .free {
            guard monotonicMilliseconds() < deadline else { throw .failed("port \(port) does not become free") }
            // sysfs tells nobody when a port's state changes.
            usleep(2000)
        }
    }

    private func failure(_ code: Int32, _ what: String) -> GuestError {
        switch code {
        case EACCES, EPERM: .permission("\(what): this needs root")
        case ENOENT: .unsupported("the driver vhci-hcd is not loaded")
        default: .failed("\(what): \(errorText(code))")
        }
    }

    // MARK: Records

    public func record(of port: Int) -> AttachmentRecord? {
        SystemFile.line(recordPath(port)).flatMap(AttachmentRecord.init(line:))
    }

    /// Without its record a device still works; only nobody can tell later where it came from.
    func remember(_ record: AttachmentRecord, of port: Int) {
        mkdir(stateFolder, 0o700)
        _ = SystemFile.write(record.line + "\n", to: recordPath(port), creating: true)
    }

    func forget(_ port: Int) { unlink(recordPath(port)) }

    private func recordPath(_ port: Int) -> String { "\(stateFolder)/port\(port)" }

    /// The port that a person means: its number, the bus id at the exporter, or the device's name in this guest.
    public func port(named text: String) throws(GuestError) -> VHCIPort {
        let attached = try ports().filter { $0.state != .free }
        if let number = Int(text), let port = attached.first(where: { $0.number == number }) { return port }
        let matches = attached.filter { $0.localName == text || record(of: $0.number)?.busID == text }
        switch matches.count {
        case 1: return matches[0]
        case 0:
            throw .noSuchDevice("nothing is attached as '\(SystemFile.printable(text.utf8))'; see '2virt-guest ports'")
        default:
            let numbers = matches.map { String($0.number) }.joined(separator: ", ")
            throw .failed("'\(SystemFile.printable(text.utf8))' is attached to ports \(numbers); name the port")
        }
    }
}
