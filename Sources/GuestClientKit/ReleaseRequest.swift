import Glibc

/// Asks the host to take a device, or one interface of it, away from this guest.
public struct ReleaseRequest {
    /// What to give back.
    public enum Scope: Equatable {
        case device
        case interface(USBInterfaceRecord)
    }

    /// Longer than the slowest observed disconnect (a device that was just found: 5.2 s).
    private static let patienceMilliseconds: Int64 = 10_000

    private let tree: USBTree
    private let deviceRoot: String

    public init(tree: USBTree = USBTree(), deviceRoot: String = "/dev/bus/usb") {
        self.tree = tree
        self.deviceRoot = deviceRoot
    }

    /// Finds what `text` names: DEVICE, or DEVICE/INTERFACE.
    public func find(_ text: String) throws(GuestError) -> (device: USBDeviceRecord, scope: Scope) {
        let devices = try tree.devices()
        if let whole = devices.first(where: { $0.is2Virt && DeviceSelector(text).matches($0) }) {
            return (whole, .device)
        }
        guard let split = DeviceSelector.withInterface(text) else {
            return (try devices.selected(by: DeviceSelector(text)), .device)
        }
        let device = try devices.selected(by: split.device)
        guard let interface = device.interfaces.first(where: { $0.isNamed(split.interface) }) else {
            let names = device.interfaces.map { $0.name.isEmpty ? String($0.number) : $0.name }
            throw .noSuchDevice(
                "device '\(device.title)' has no interface '\(SystemFile.printable(split.interface.utf8))'; "
                    + "it has: \(names.joined(separator: ", "))")
        }
        return (device, .interface(interface))
    }

    /// Sends the request and waits for the device to leave; returns what happened in words.
    public func perform(_ text: String) throws(GuestError) -> String {
        let events = try UeventSocket()
        let (device, scope) = try find(text)
        let usb = try USBFSDevice(path: device.nodePath(root: deviceRoot))
        let target: VendorRequest
        let subject: String
        switch scope {
        case .device:
            let number = (device.interfaces.first(where: \.isWebService) ?? device.interfaces.first)?.number ?? 0
            target = .release(interface: number, wholeDevice: true)
            subject = "device '\(device.title)'"
        case .interface(let interface):
            target = .release(interface: interface.number, wholeDevice: false)
            let name = interface.name.isEmpty ? String(interface.number) : interface.name
            subject = "interface '\(name)' of device '\(device.title)'"
        }
        do {
            _ = try usb.control(target)
        } catch {
            switch error.code {
            case EPIPE: throw .failed("\(subject): the host refused to take it back")
            case ENODEV, ESHUTDOWN: break  // It left before the status stage: released all the same.
            default: throw .systemCall(error.code, subject)
            }
        }
        return try waitUntilGone(device, scope, subject, events)
    }

    private func waitUntilGone(
        _ device: USBDeviceRecord, _ scope: Scope, _ subject: String, _ events: UeventSocket
    ) throws(GuestError) -> String {
        let stop = try StopSignal()
        let deadline = monotonicMilliseconds() + Self.patienceMilliseconds
        while isPresent(device, scope, among: try tree.devices()) {
            let left = deadline - monotonicMilliseconds()
            guard left > 0 else {
                throw .failed("\(subject): the host accepted the release, but it is still plugged in")
            }
            events.waitForUSBChange(milliseconds: Int32(clamping: left), stop: stop)
        }
        return "released \(subject)"
    }

    /// A device that re-enumerated without the interface has a new number: then both have left.
    private func isPresent(_ device: USBDeviceRecord, _ scope: Scope, among devices: [USBDeviceRecord]) -> Bool {
        guard let now = devices.first(where: { $0.bus == device.bus && $0.device == device.device }) else {
            return false
        }
        switch scope {
        case .device: return true
        case .interface(let interface): return now.interfaces.contains { $0.number == interface.number }
        }
    }
}
