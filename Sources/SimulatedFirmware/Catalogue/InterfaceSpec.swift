import USBClasses

/// What configuration says of one interface, checked in itself but not against the machine.
public enum InterfaceSpec: Sendable, Equatable {
    case serial(name: String, to: SerialTarget)
    /// `services`: further names, besides the interface's own, under which guests may address it.
    case webService(name: String, upstreams: [Upstream], services: [String] = [])
    case microphone(name: String, tone: TestTone)
    case storage(name: String, target: StorageTarget)
    case keyboard(name: String, layout: KeyboardLayout)
    case printer(name: String, to: PrinterTarget)

    /// Kinds that configuration may name, in catalogue order.
    public static let kinds = ["serial", "web-service", "microphone", "storage", "keyboard", "printer"]

    public var name: String {
        switch self {
        case .serial(let name, _), .webService(let name, _, _), .microphone(let name, _), .storage(let name, _),
            .keyboard(let name, _), .printer(let name, _):
            name
        }
    }

    /// Catalogue kind, as configuration writes it.
    public var kind: String {
        switch self {
        case .serial: "serial"
        case .webService: "web-service"
        case .microphone: "microphone"
        case .storage: "storage"
        case .keyboard: "keyboard"
        case .printer: "printer"
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

    /// A Web Service interface from configuration text.
    public static func webService(
        name: String, upstreams texts: [String], services: [String] = []
    ) throws(CatalogueError) -> InterfaceSpec {
        guard !texts.isEmpty else { throw .noUpstreams(interface: name) }
        var upstreams: [Upstream] = []
        for text in texts { upstreams.append(try Upstream(parsing: text)) }
        for service in services where !isHost(Substring(service)) || service.contains(":") {
            throw .badServiceName(service)
        }
        return .webService(name: name, upstreams: upstreams, services: services)
    }
}
