import Glibc

/// The usbfs transport: finds the device in sysfs, claims the interface, opens a session with vendor requests.
public final class USBPipeTransport: PipeTransport {
    private let tree: USBTree
    private let deviceRoot: String
    private let selector: DeviceSelector?
    private let service: String?
    /// Only the interface of this name; nil: any.
    private let interfaceName: String?
    private let detachDriver: Bool
    private let events: UeventSocket

    /// `service` prefers the interface of that name; without one the first Web Service interface is taken.
    public init(
        selector: DeviceSelector?, service: String?, interfaceName: String? = nil, detachDriver: Bool = false,
        tree: USBTree = USBTree(), deviceRoot: String = "/dev/bus/usb"
    ) throws(GuestError) {
        self.selector = selector
        self.service = service
        self.interfaceName = interfaceName
        self.detachDriver = detachDriver
        self.tree = tree
        self.deviceRoot = deviceRoot
        events = try UeventSocket()
    }

    /// The same transport, tied to the device and interface that it would take now: others that come later are ignored.
    public func pinned() throws(GuestError) -> USBPipeTransport {
        let (device, interface) = try target()
        let isMeant = service == nil || interface.name == service
        return try USBPipeTransport(
            selector: device.serial.isEmpty ? selector : DeviceSelector(device.serial), service: service,
            interfaceName: isMeant && !interface.name.isEmpty ? interface.name : nil, detachDriver: detachDriver,
            tree: tree, deviceRoot: deviceRoot)
    }

    /// The device and interface that `open` would take now.
    public func target() throws(GuestError) -> (device: USBDeviceRecord, interface: USBInterfaceRecord) {
        let device = try tree.devices().selected(by: selector)
        let candidates = device.interfaces.filter(\.isWebService)
        let found: USBInterfaceRecord?
        if let interfaceName {
            found = candidates.first { $0.name == interfaceName }
        } else {
            found = candidates.first { $0.name == service } ?? candidates.first
        }
        guard let interface = found else {
            let which = interfaceName.map { " named '\($0)'" } ?? ""
            throw .noSuchDevice("device '\(device.title)' has no Web Service interface (FF/32/56)\(which) now")
        }
        return (device, interface)
    }

    public func open() throws(GuestError) -> any PipeSession {
        let (device, interface) = try target()
        guard let bulkIn = interface.bulkIn, let bulkOut = interface.bulkOut else {
            throw .failed("device '\(device.title)' interface \(interface.number): no pair of bulk endpoints")
        }
        let usb = try USBFSDevice(path: device.nodePath(root: deviceRoot))
        try usb.claim(interface: interface.number, detach: detachDriver)
        let hello = try Self.hello(usb, interface: interface.number)
        do {
            _ = try usb.control(.open(interface: interface.number))
        } catch {
            throw .failed("\(usb.path): the device refused to open a session: \(errorText(error.code))")
        }
        let size = usb.preferredTransferSize
        let plan = InTransferPlan(controller: tree.controllerDriver(bus: device.bus), preferredSize: size)
        let layout = BulkPump.Layout(
            inEndpoint: bulkIn.address, outEndpoint: bulkOut.address, outPacketSize: bulkOut.maximumPacketSize,
            inSize: plan.size,
            outSize: hello?.outTransferSize(limit: size, packet: bulkOut.maximumPacketSize) ?? size,
            inSlots: plan.count, notifyEndpoint: interface.interruptIn?.address)
        usb.allocateSlots(layout.slots, size: size)
        let name = interface.name.isEmpty ? "interface \(interface.number)" : interface.name
        return USBPipeSession(
            usb: usb, layout: layout, interface: interface.number,
            service: PipeService(
                name: interface.name, isByteService: hello?.isByteService ?? false,
                isDirectory: hello?.isDirectory ?? false, services: Self.services(usb, interface: interface.number)),
            title: "\(name) of \(device.title) (bus \(device.bus) device \(device.device))")
    }

    public func waitForChange(milliseconds: Int32?, stop: StopSignal) {
        events.waitForUSBChange(milliseconds: milliseconds, stop: stop)
    }

    /// Names in the list of 2010, whose paths end in them; none from firmware that does not know the request.
    private static func services(_ usb: USBFSDevice, interface: Int) -> Set<String> {
        guard let bytes = try? usb.control(.services(interface: interface)) else { return [] }
        let fields = bytes.split(separator: 0, omittingEmptySubsequences: false)
        var names: Set<String> = []
        for index in stride(from: 1, to: fields.count, by: 2) {
            let name = String(decoding: fields[index].split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
            if ServiceName.isValid(name) { names.insert(name.lowercased()) }
        }
        return names
    }

    /// The protocol version, or nil from firmware that does not know the request.
    private static func hello(_ usb: USBFSDevice, interface: Int) throws(GuestError) -> HelloReply? {
        let bytes: [UInt8]
        do {
            bytes = try usb.control(.hello(interface: interface))
        } catch {
            if error.code == EPIPE { return nil }
            throw .systemCall(error.code, "\(usb.path): hello")
        }
        guard let reply = HelloReply(bytes) else {
            throw .failed("\(usb.path): hello answered \(bytes.count) bytes, 8 expected")
        }
        guard reply.isSupported else {
            let version = "\(reply.version >> 8).\(reply.version & 0xFF)"
            throw .failed("\(usb.path): the device speaks protocol \(version), this client 1.x; update 2virt-guest")
        }
        return reply
    }
}

/// An open session on usbfs.
private final class USBPipeSession: PipeSession {
    let title: String
    let service: PipeService
    private let usb: USBFSDevice
    private let layout: BulkPump.Layout
    private let interface: Int

    init(usb: USBFSDevice, layout: BulkPump.Layout, interface: Int, service: PipeService, title: String) {
        self.usb = usb
        self.layout = layout
        self.interface = interface
        self.service = service
        self.title = title
    }

    func run(socket: Int32, stop: StopSignal, notified: (([UInt8]) -> Void)?) -> PipeEnd {
        var pump = BulkPump(
            device: usb, layout: layout, socket: socket, stop: stop.descriptor, notified: notified)
        let end = pump.run()
        if end != .deviceGone {
            // Best effort: whoever opens next starts with OPEN anyway.
            _ = try? usb.control(.close(interface: interface), timeoutMilliseconds: 500)
            usb.release(interface: interface)
        }
        return end
    }
}
