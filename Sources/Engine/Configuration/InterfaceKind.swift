/// The interface catalogue as configuration knows it: which kinds there are and which keys each takes.
public enum InterfaceKind: String, Sendable, Equatable, CaseIterable {
    case webService = "web-service"
    case serial
    case usbChar = "usb-char"
    case serviceDirectory = "service-directory"
    case pointToPoint = "point-to-point"
    case pointToMultipoint = "point-to-multipoint"
    case libvirt
    case printer
    case ippPrinter = "ipp-printer"
    case storage
    case keyboard
    case microphone

    /// What a listing calls it.
    public var title: String {
        switch self {
        case .webService: "Web Service"
        case .serial: "Serial"
        case .usbChar: "USB-char"
        case .serviceDirectory: "Service directory"
        case .pointToPoint: "Point-to-Point"
        case .pointToMultipoint: "Point-to-Multipoint"
        case .libvirt: "Libvirt"
        case .printer: "Printer"
        case .ippPrinter: "IPP Printer"
        case .storage: "Storage"
        case .keyboard: "Keyboard"
        case .microphone: "Microphone"
        }
    }

    /// One key of an interface.
    struct Key: Sendable {
        enum Shape: Sendable { case string, strings, integer }
        var name: String
        var shape: Shape
        var isRequired = false
        var allowed: String
    }

    /// Keys besides `kind` and `name`.
    var keys: [Key] {
        switch self {
        case .serial:
            [
                Key(
                    name: "to", shape: .string, isRequired: true,
                    allowed: "\"pty\", \"unix:/path\" or \"tcp:ADDRESS:PORT\"")
            ]
        case .webService:
            [
                Key(
                    name: "upstreams", shape: .strings, isRequired: true,
                    allowed: "a list of \"host:port\", \"http://host:port/base\" or \"unix:/path\""),
                Key(
                    name: "services", shape: .strings,
                    allowed: "a list of [[service]]s to give, or of further names for its own"),
                Key(
                    name: "streams", shape: .strings,
                    allowed: "a list of \"name=host:port\" or \"name=unix:/path\", byte services of the host"),
            ]
        case .usbChar:
            [Key(name: "to", shape: .string, isRequired: true, allowed: "\"host:port\" or \"unix:/path\"")]
        case .serviceDirectory:
            [Key(name: "services", shape: .strings, allowed: "a list of names of [[service]]s")]
        case .pointToPoint:
            [Key(name: "network", shape: .string, isRequired: true, allowed: "the name of a network")]
        case .pointToMultipoint:
            [
                Key(name: "network", shape: .string, isRequired: true, allowed: "the name of a network"),
                Key(name: "sources", shape: .string, allowed: "\"own\" or \"any\""),
                Key(name: "uplink", shape: .string, allowed: "the name of a TAP interface"),
            ]
        case .libvirt:
            [
                Key(name: "to", shape: .string, allowed: "\"unix:/path\" of a libvirt socket"),
                Key(name: "policy", shape: .string, allowed: "\"read-only\" or \"full\""),
            ]
        case .printer:
            [Key(name: "to", shape: .string, isRequired: true, allowed: "\"spool:/folder\" or \"tcp:HOST:PORT\"")]
        case .ippPrinter:
            [
                Key(
                    name: "to", shape: .string, isRequired: true,
                    allowed: "\"ipp://HOST[:PORT]/path\" of a printer or \"http://HOST:PORT\" of a whole server"),
                Key(name: "connections", shape: .integer, allowed: "2 to 4 requests at once"),
            ]
        case .storage:
            [
                Key(name: "image", shape: .string, isRequired: true, allowed: "the path of a raw image or ISO file"),
                Key(name: "mode", shape: .string, allowed: "\"read-only\", \"snapshot\" or \"direct\""),
            ]
        case .keyboard:
            [Key(name: "layout", shape: .string, allowed: "\"us\", \"de\" or \"fr\"")]
        case .microphone:
            [Key(name: "tone", shape: .integer, allowed: "the frequency that it hears in Hz, 20 to 20000")]
        }
    }
}
