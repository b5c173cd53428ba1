import Logging
import NIOCore
import USBDevice

/// The interface catalogue: from what configuration says to a function that works.
public enum Catalogue {
    /// Human name of a catalogue kind; nil for kinds that there are not.
    public static func title(ofKind kind: String) -> String? {
        switch kind {
        case "serial": "Serial"
        case "web-service": "Web Service"
        case "service-directory": "Service directory"
        case "libvirt": "Libvirt"
        case "microphone": "Microphone"
        case "storage": "Storage"
        case "keyboard": "Keyboard"
        case "printer": "Printer"
        case "ipp-printer": "IPP Printer"
        case "point-to-point": "Point-to-Point"
        case "point-to-multipoint": "Point-to-Multipoint"
        case "usb-char": "USB-char"
        default: nil
        }
    }

    /// Opens the backend of an interface and makes its function. Call it on `eventLoop`, to which the function is
    /// confined from then on; `shutdown` ends the backend.
    ///
    /// - Parameters:
    ///   - device: whose interface it is; a network interface has its address from it.
    ///   - networks: those that it may become a member of.
    /// - Throws: `CatalogueError` that names the thing which is wrong.
    public static func makeFunction(
        _ spec: InterfaceSpec, device: String = "", networks: Networks = Networks(), eventLoop: any EventLoop,
        logger: Logger
    ) throws(CatalogueError) -> any Function {
        switch spec {
        case .serial(let name, let target):
            return SerialFunction(name: name, backend: try target.open(eventLoop))
        case .webService(let name, let upstreams, let services, let streams):
            return try WebServiceFunction(
                name: name, upstreams: upstreams, services: services, streams: streams, eventLoop: eventLoop,
                logger: logger)
        case .serviceDirectory(let name):
            return WebServiceFunction(name: name, eventLoop: eventLoop, logger: logger)
        case .libvirt(let service):
            return WebServiceFunction(kind: spec.kind, service: service, eventLoop: eventLoop, logger: logger)
        case .microphone(let name, let tone):
            return MicrophoneFunction(name: name, tone: tone)
        case .storage(let name, let target):
            return try StorageFunction(name: name, target: target, eventLoop: eventLoop)
        case .keyboard(let name, let layout):
            return KeyboardFunction(name: name, layout: layout, eventLoop: eventLoop)
        case .printer(let name, let target):
            let backend: any PrinterBackend =
                switch target {
                case .spool(let folder): try SpoolBackend(folder: folder, name: name, eventLoop: eventLoop)
                case .tcp(let host, let port): RawPortBackend(host: host, port: port, eventLoop: eventLoop)
                }
            return PrinterFunction(name: name, backend: backend, eventLoop: eventLoop)
        case .ippPrinter(let name, let target, let connections):
            return IPPPrinterFunction(
                name: name, target: target, connections: connections, eventLoop: eventLoop, logger: logger)
        case .network(let name, let target):
            return try NetworkFunction(
                name: name, device: device, target: target, networks: networks, eventLoop: eventLoop)
        case .usbChar(let service):
            return USBCharFunction(service: service, eventLoop: eventLoop)
        }
    }

    /// What is wrong with an interface on this machine now, without opening anything; nil when nothing is known to be.
    /// A socket that an engine already serves for this interface counts as in use.
    public static func problem(with spec: InterfaceSpec) -> CatalogueError? {
        switch spec {
        case .serial(_, .unix(let path)): SocketFile.problem(at: path)
        case .network(_, let target): target.uplink.flatMap(TapUplink.problem)
        case .serial, .webService, .serviceDirectory, .libvirt, .microphone, .storage, .keyboard, .printer, .ippPrinter,
            .usbChar:
            nil
        }
    }
}
