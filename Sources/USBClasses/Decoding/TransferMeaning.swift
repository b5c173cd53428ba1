import USBCore

/// One line of meaning for a completed transfer, out of what a traffic pane has kept of it.
///
/// Pure and total: any bytes give a line, or an empty one where there is nothing to say. No line has control characters.
public struct TransferMeaning: Sendable {
    /// bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol of the interface that the transfer belongs to.
    public struct InterfaceClass: Sendable, Equatable {
        public var code: UInt8
        public var subclass: UInt8
        public var `protocol`: UInt8

        public init(_ code: UInt8, _ subclass: UInt8, _ protocol: UInt8) {
            self.code = code
            self.subclass = subclass
            self.protocol = `protocol`
        }

        static let webService = InterfaceClass(
            WebServiceProtocol.interfaceClass, WebServiceProtocol.interfaceSubClass,
            WebServiceProtocol.interfaceProtocol)
    }

    public var type: TransferType
    public var direction: Direction
    public var setup: SetupPacket?
    /// nil when unknown.
    public var interfaceClass: InterfaceClass?
    /// Bytes that passed.
    public var actual: Int
    /// The first bytes of the payload.
    public var head: [UInt8]

    public init(
        type: TransferType, direction: Direction, setup: SetupPacket? = nil, interfaceClass: InterfaceClass? = nil,
        actual: Int, head: [UInt8]
    ) {
        self.type = type
        self.direction = direction
        self.setup = setup
        self.interfaceClass = interfaceClass
        self.actual = max(0, actual)
        self.head = head
    }

    public var line: String {
        if let setup {
            return switch setup.requestType.kind {
            case .standard: StandardRequestText.line(setup, data: head)
            case .class: classRequest(setup)
            case .vendor: vendorRequest(setup)
            case .reserved: Self.unknownRequest("reserved", setup)
            }
        }
        guard actual > 0 else { return type == .bulk ? "zero-length packet" : "" }
        switch interfaceClass {
        case .webService?:
            return type == .interrupt ? webServiceMessage : HTTP2Text.line(head, total: actual)
        case let code? where code.code == CDC.communicationsClass && type == .interrupt:
            return CDCText.notification(head)
        case let code? where code.code == CDC.dataClass && code.subclass == 0:
            return PrintableText.excerpt(head, total: actual)
        case let code? where code.code == PrinterClass.interfaceClass:
            return code.protocol == PrinterClass.ippOverUSB
                ? PrinterText.http(head, total: actual) : PrintableText.excerpt(head, total: actual)
        default:
            return ""
        }
    }

    private func classRequest(_ setup: SetupPacket) -> String {
        if interfaceClass?.code == CDC.communicationsClass, let line = CDCText.request(setup, data: head) {
            return line
        }
        if interfaceClass?.code == AudioClass.interfaceClass, let line = AudioText.request(setup, data: head) {
            return line
        }
        if interfaceClass?.code == PrinterClass.interfaceClass, let line = PrinterText.request(setup, data: head) {
            return line
        }
        return Self.unknownRequest("class", setup)
    }

    private func vendorRequest(_ setup: SetupPacket) -> String {
        if setup.requestType.recipient == .interface, interfaceClass == .webService,
            let request = WebServiceProtocol.Request(rawValue: setup.request)
        {
            return request == .release ? "RELEASE \(setup.value == 0 ? "device" : "interface")" : request.name
        }
        // The request code is the device's choice; wIndex tells what is asked (Microsoft OS 2.0 descriptors, section 5).
        if setup.direction == .in, setup.requestType.recipient == .device, setup.index == 7 {
            return "GET_MS_OS_20_DESCRIPTOR set"
        }
        return Self.unknownRequest("vendor", setup)
    }

    private var webServiceMessage: String {
        guard head.count >= 8, head[0] == 1 else { return "message of unknown type" }
        let serial = UInt32(head[4]) | UInt32(head[5]) << 8 | UInt32(head[6]) << 16 | UInt32(head[7]) << 24
        return "directory changed, serial \(serial)"
    }

    private static func unknownRequest(_ kind: String, _ setup: SetupPacket) -> String {
        "\(kind) request \(Hex.byte(setup.request)) value \(Hex.word(setup.value)) index \(Hex.word(setup.index))"
    }
}

/// Hexadecimal numbers as USB tools print them.
enum Hex {
    /// `0x0a`.
    static func byte(_ value: UInt8) -> String { "0x" + digits(UInt32(value), 2) }
    /// `0x00ff`.
    static func word(_ value: UInt16) -> String { "0x" + digits(UInt32(value), 4) }

    static func digits(_ value: UInt32, _ count: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
