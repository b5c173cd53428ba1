import Logging
import NIOCore
import USBClasses
import USBCore
import USBDevice

/// A printer that speaks IPP over USB (7/1/4): HTTP/1.1 on each of its interfaces, proxied to an IPP printer of the host.
///
/// A host has one request at a time on an interface, so there are several; they are switched together.
public final class IPPPrinterFunction: Function {
    public let name: String
    public let kind = "ipp-printer"
    /// Formats that IPP Everywhere asks of every printer, until it has said itself which it knows.
    private static let commandSet = "PWGRaster,JPEG"
    private static let deviceIDTimeout = TimeAmount.seconds(5)
    private static let deviceIDLimit = 64 * 1024

    private let target: IPPPrinterTarget
    private let proxy: UpstreamProxy
    private var connections: [IPPConnection] = []
    private var context: (any FunctionContext)?
    private var hasTrouble = false
    /// As the printer tells it.
    private var deviceID: [UInt8]?
    private var isAsking = false

    /// Call on `eventLoop`.
    ///
    /// - Parameter connections: requests under way at once; each is a USB interface.
    public convenience init(
        name: String, target: IPPPrinterTarget, connections: Int, eventLoop: any EventLoop, logger: Logger
    ) {
        self.init(
            name: name, target: target, connections: connections, eventLoop: eventLoop, logger: logger,
            timing: UpstreamCluster.Timing())
    }

    init(
        name: String, target: IPPPrinterTarget, connections: Int, eventLoop: any EventLoop, logger: Logger,
        timing: UpstreamCluster.Timing
    ) {
        eventLoop.preconditionInEventLoop()
        self.name = name
        self.target = target
        let cluster = UpstreamCluster([target.upstream], eventLoop: eventLoop, timing: timing)
        proxy = UpstreamProxy(
            services: [IPPConnection.service], cluster: cluster, eventLoop: eventLoop, logger: logger,
            manner: .exchanges)
        cluster.onChange = { [weak self] in self?.clusterChanged($0) }
        self.connections = (0..<connections).map { number in
            IPPConnection(number: number, proxy: proxy, target: target) { [weak self] in self?.note($0) }
        }
    }

    public var backend: String { proxy.cluster.text }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let code = ClassCode(PrinterClass.interfaceClass, PrinterClass.printers, PrinterClass.ippOverUSB)
        let descriptor = PrinterClass.ippDescriptor(target.path == nil ? [.print, .anyHTTP] : .print)
        return FunctionDeclaration(
            classCode: code,
            interfaces: connections.map {
                InterfaceDeclaration(
                    classCode: code, classDescriptors: { _ in [descriptor] },
                    endpoints: [EndpointDeclaration($0.input, .in, .bulk), EndpointDeclaration($0.output, .out, .bulk)])
            })
    }

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() { askForDeviceID() }

    public func deactivate() { for connection in connections { connection.end() } }

    /// Hosts choose the only setting there is when they begin, to be rid of what was before.
    public func alternateSettingChanged(interface offset: Int, to setting: UInt8) {
        if connections.indices.contains(offset) { connections[offset].end() }
    }

    public func endpointReady(_ endpoint: EndpointKey) {
        guard let context else { return }
        connections.first { $0.input == endpoint || $0.output == endpoint }?.endpointReady(endpoint, context)
    }

    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard setup.requestType.kind == .class, setup.requestType.recipient == .interface,
            connections.indices.contains(offset)
        else { return .stall }
        switch (PrinterClass.Request(rawValue: setup.request), setup.direction) {
        case (.getDeviceID, .in):
            let own = PrinterClass.deviceID(
                model: "Printer \(name)", commandSet: Self.commandSet, serialNumber: name)
            return .acknowledge(deviceID ?? own)
        case (.getPortStatus, .in):
            let status: PrinterClass.PortStatus = hasTrouble ? .selected : [.selected, .notError]
            return .acknowledge([status.rawValue])
        case (.softReset, .out):
            let connection = connections[offset]
            connection.end()
            while context?.read(connection.output) != nil {}
            context?.discard(connection.input)
            return .acknowledge()
        default:
            return .stall
        }
    }

    public func shutdown() {
        for connection in connections { connection.end() }
        proxy.shutdown()
        context = nil
    }

    public func whenDrained(_ body: @escaping () -> Void) { proxy.whenEnded(body) }

    // MARK: Inside

    /// Asks the printer what GET_DEVICE_ID should say; until it has told, the guest hears our own.
    private func askForDeviceID() {
        guard deviceID == nil, !isAsking, context != nil else { return }
        isAsking = true
        proxy.fetch(
            target.upstream, method: "POST", target: target.path ?? IPPPrinterTarget.guestPath,
            headers: ["content-type": "application/ipp"],
            body: IPPMessage.getPrinterAttribute("printer-device-id", of: target.printerURI), limit: Self.deviceIDLimit,
            timeout: Self.deviceIDTimeout
        ).assumeIsolated().whenComplete { [weak self] result in
            guard let self else { return }
            isAsking = false
            // Without it the printer works just as well.
            guard case .success(let answer) = result, answer.status == 200 else { return }
            deviceID = IPPMessage.value(of: "printer-device-id", in: answer.body)
                .flatMap(PrinterClass.deviceID(ofPrinter:))
        }
    }

    private func note(_ text: String) { context?.report(.note(interface: name, text)) }

    private func clusterChanged(_ change: UpstreamCluster.Change) {
        switch change {
        case .down(_, let reason):
            hasTrouble = true
            context?.report(.trouble(interface: name, "the printer is not there: \(reason)"))
        case .up:
            hasTrouble = false
            context?.report(.trouble(interface: name, nil))
            askForDeviceID()
        }
    }
}
