import USBClasses

/// What configuration says of one interface, checked in itself but not against the machine.
public enum InterfaceSpec: Sendable, Equatable {
    case serial(name: String, to: SerialTarget)
    /// `services`: further names, besides the interface's own, under which guests may address it.
    /// `streams`: byte services that guests may connect to by their names.
    case webService(name: String, upstreams: [Upstream], services: [String] = [], streams: [ByteService] = [])
    /// A directory of services of the host, and the way to them; which, is given to it later.
    case serviceDirectory(name: String)
    /// A libvirt daemon's socket, as a byte service with the interface's name.
    case libvirt(ByteService)
    case microphone(name: String, tone: TestTone)
    case storage(name: String, target: StorageTarget)
    case keyboard(name: String, layout: KeyboardLayout)
    case printer(name: String, to: PrinterTarget)
    /// `connections`: requests that a guest may have under way at once; each is a USB interface.
    case ippPrinter(name: String, to: IPPPrinterTarget, connections: Int)
    case network(name: String, target: NetworkTarget)
    /// One connection to a server of the host.
    case usbChar(ByteService)

    /// Kinds that configuration may name, in catalogue order.
    public static let kinds = [
        "serial", "web-service", "service-directory", "libvirt", "microphone", "storage", "keyboard", "printer",
        "ipp-printer", "point-to-point", "point-to-multipoint", "usb-char",
    ]

    public var name: String {
        switch self {
        case .serial(let name, _), .webService(let name, _, _, _), .microphone(let name, _), .storage(let name, _),
            .keyboard(let name, _), .printer(let name, _), .network(let name, _), .ippPrinter(let name, _, _):
            name
        case .serviceDirectory(let name): name
        case .libvirt(let service), .usbChar(let service): service.name
        }
    }

    /// Catalogue kind, as configuration writes it.
    public var kind: String {
        switch self {
        case .serial: "serial"
        case .webService: "web-service"
        case .serviceDirectory: "service-directory"
        case .libvirt: "libvirt"
        case .microphone: "microphone"
        case .storage: "storage"
        case .keyboard: "keyboard"
        case .printer: "printer"
        case .ippPrinter: "ipp-printer"
        case .network(_, let target): target.topology.rawValue
        case .usbChar: "usb-char"
        }
    }

    /// Human name of the kind.
    public var title: String { Catalogue.title(ofKind: kind) ?? kind }

    /// A serial interface from configuration text.
    public static func serial(name: String, to text: String) throws(CatalogueError) -> InterfaceSpec {
        .serial(name: name, to: try SerialTarget(parsing: text))
    }

    /// A microphone that hears a tone of `hertz`.
    public static func microphone(name: String, hertz: Int) throws(CatalogueError) -> InterfaceSpec {
        .microphone(name: name, tone: try TestTone(frequency: hertz))
    }

    /// A disk or CD-ROM from an image; the usual `mode` when nil.
    public static func storage(name: String, image: String, mode: String?) throws(CatalogueError) -> InterfaceSpec {
        .storage(name: name, target: try StorageTarget(image: image, mode: mode))
    }

    /// A keyboard of a layout by its name.
    public static func keyboard(name: String, layout word: String) throws(CatalogueError) -> InterfaceSpec {
        guard let layout = KeyboardLayout(rawValue: word) else { throw .unknownLayout(word) }
        return .keyboard(name: name, layout: layout)
    }

    /// A printer whose jobs go where configuration text says.
    public static func printer(name: String, to text: String) throws(CatalogueError) -> InterfaceSpec {
        .printer(name: name, to: try PrinterTarget(parsing: text))
    }

    /// A printer that speaks IPP, from configuration text; two connections when nil.
    public static func ippPrinter(
        name: String, to text: String, connections: Int?
    ) throws(CatalogueError) -> InterfaceSpec {
        let connections = connections ?? IPPPrinterTarget.connections.lowerBound
        guard IPPPrinterTarget.connections.contains(connections) else { throw .badIPPConnections(connections) }
        return .ippPrinter(name: name, to: try IPPPrinterTarget(parsing: text), connections: connections)
    }

    /// A Web Service interface from configuration text.
    public static func webService(
        name: String, upstreams texts: [String], services: [String] = [], streams entries: [String] = []
    ) throws(CatalogueError) -> InterfaceSpec {
        guard !texts.isEmpty else { throw .noUpstreams(interface: name) }
        var upstreams: [Upstream] = []
        for text in texts { upstreams.append(try Upstream(parsing: text)) }
        for service in services where !isServiceName(service) {
            throw .badServiceName(service)
        }
        var streams: [ByteService] = []
        for entry in entries {
            let stream = try ByteService(parsing: entry)
            guard stream.name != name, !services.contains(stream.name),
                !streams.contains(where: { $0.name == stream.name })
            else { throw .serviceNamedTwice(stream.name) }
            streams.append(stream)
        }
        return .webService(name: name, upstreams: upstreams, services: services, streams: streams)
    }

    /// A Libvirt interface from configuration text.
    ///
    /// Only the daemon can tell a read from a write, and it does so by the socket: its read-only one ends in `-ro`.
    ///
    /// - Parameters:
    ///   - text: `unix:/path`; nil is the system daemon's socket for the policy.
    ///   - policy: `read-only` (the default) or `full`.
    public static func libvirt(
        name: String, to text: String?, policy: String?
    ) throws(CatalogueError) -> InterfaceSpec {
        guard let policy = LibvirtPolicy(rawValue: policy ?? LibvirtPolicy.readOnly.rawValue) else {
            throw .badLibvirtPolicy(policy ?? "")
        }
        let text = text ?? policy.defaultSocket
        guard text.hasPrefix("unix:/") else { throw .badLibvirtSocket(text) }
        guard policy == .full || text.hasSuffix("-ro") else { throw .writableLibvirtSocket(text) }
        return .libvirt(try ByteService(name: name, parsing: text))
    }
}
