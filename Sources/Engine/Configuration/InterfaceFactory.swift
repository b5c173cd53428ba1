import Logging
import NIOCore
import SimulatedFirmware
import USBDevice

/// What is wrong with one key of an interface.
struct InterfaceProblem: Error {
    var key: String
    var found: String
    var allowed: String
}

/// Makes functions from configured interfaces: the only place that knows which kind is which class.
enum InterfaceFactory {
    /// Checks the values; nothing is opened.
    static func check(_ interface: InterfaceConfiguration) throws(InterfaceProblem) {
        do {
            _ = try spec(interface)
        } catch {
            let key =
                switch error {
                case .badServiceName(let name):
                    [.libvirt, .usbChar].contains(interface.kind)
                        ? "name" : interface.strings("services").contains(name) ? "services" : "streams"
                case .badByteService where interface.kind == .usbChar: "to"
                case .badByteService, .serviceNamedTwice: "streams"
                case .badLibvirtPolicy: "policy"
                case .badLibvirtSocket, .writableLibvirtSocket: "to"
                case .badTone: "tone"
                case .badStorageMode: "mode"
                case .badStorageImage: "image"
                case .unknownLayout: "layout"
                case .badPrinterTarget, .badIPPTarget: "to"
                case .badIPPConnections: "connections"
                case .badNetworkName: "network"
                case .badSources: "sources"
                case .badUplink: "uplink"
                default: interface.kind == .webService ? "upstreams" : "to"
                }
            throw InterfaceProblem(key: key, found: "\(error)", allowed: "")
        }
    }

    /// Opens the backend and makes the function; call it on `eventLoop`.
    static func make(
        _ interface: InterfaceConfiguration, of device: String, networks: Networks, eventLoop: any EventLoop,
        logger: Logger
    ) throws -> any Function {
        let spec = try spec(interface)
        do {
            return try Catalogue.makeFunction(
                spec, device: device, networks: networks, eventLoop: eventLoop, logger: logger)
        } catch {
            throw InterfaceNotMade(interface: interface.name, reason: "\(error)")
        }
    }

    private static func spec(_ interface: InterfaceConfiguration) throws(CatalogueError) -> InterfaceSpec {
        switch interface.kind {
        case .serial: try InterfaceSpec.serial(name: interface.name, to: interface.string("to") ?? "")
        case .webService:
            try InterfaceSpec.webService(
                name: interface.name, upstreams: interface.strings("upstreams"),
                services: interface.strings("services"), streams: interface.strings("streams"))
        case .serviceDirectory: .serviceDirectory(name: interface.name)
        case .libvirt:
            try InterfaceSpec.libvirt(
                name: interface.name, to: interface.string("to"), policy: interface.string("policy"))
        case .microphone:
            try InterfaceSpec.microphone(name: interface.name, hertz: interface.integer("tone") ?? 1000)
        case .storage:
            try InterfaceSpec.storage(
                name: interface.name, image: interface.string("image") ?? "", mode: interface.string("mode"))
        case .keyboard:
            try InterfaceSpec.keyboard(name: interface.name, layout: interface.string("layout") ?? "us")
        case .printer:
            try InterfaceSpec.printer(name: interface.name, to: interface.string("to") ?? "")
        case .ippPrinter:
            try InterfaceSpec.ippPrinter(
                name: interface.name, to: interface.string("to") ?? "", connections: interface.integer("connections"))
        case .usbChar: .usbChar(try ByteService(name: interface.name, parsing: interface.string("to") ?? ""))
        case .pointToPoint, .pointToMultipoint:
            .network(
                name: interface.name,
                target: try NetworkTarget(
                    topology: interface.kind == .pointToPoint ? .pointToPoint : .multipoint,
                    network: interface.string("network") ?? "", sources: interface.string("sources"),
                    uplink: interface.string("uplink")))
        }
    }
}

/// A backend that does not open.
struct InterfaceNotMade: Error, CustomStringConvertible {
    let interface: String
    let reason: String
    var description: String { "interface '\(interface)': \(reason)" }
}
