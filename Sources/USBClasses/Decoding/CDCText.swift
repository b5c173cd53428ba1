import USBCore

/// Requests and notifications of communications interfaces in words.
enum CDCText {
    /// nil for requests that are not of this class.
    static func request(_ setup: SetupPacket, data: [UInt8]) -> String? {
        guard let request = CDC.Request(rawValue: setup.request) else { return nil }
        switch request {
        case .setLineCoding, .getLineCoding:
            guard let coding = LineCoding(bytes: data.prefix(7)) else { return request.name }
            return "\(request.name) \(coding)"
        case .setControlLineState:
            let names = ControlLines(rawValue: setup.value).names
            return "\(request.name) \(names.isEmpty ? "none" : names.joined(separator: " "))"
        case .sendBreak:
            return setup.value == 0xFFFF
                ? "\(request.name) on" : setup.value == 0 ? "\(request.name) off" : "\(request.name) \(setup.value) ms"
        case .sendEncapsulatedCommand, .getEncapsulatedResponse:
            return data.isEmpty ? request.name : "\(request.name) \(PrintableText.quoted(data, limit: 40))"
        case .setCommFeature, .getCommFeature, .clearCommFeature:
            return "\(request.name) \(setup.value)"
        }
    }

    static func notification(_ bytes: [UInt8]) -> String {
        guard bytes.count >= 8, bytes[0] == 0xA1 else { return "notification" }
        guard let code = CDC.Notification(rawValue: bytes[1]) else { return "notification \(Hex.byte(bytes[1]))" }
        switch code {
        case .serialState:
            guard bytes.count >= 9 else { return code.name }
            let names = SerialState(rawValue: bytes[8]).names
            return "\(code.name) \(names.isEmpty ? "none" : names.joined(separator: " "))"
        case .networkConnection:
            return "\(code.name) \(bytes[2] == 0 ? "disconnected" : "connected")"
        case .responseAvailable:
            return code.name
        }
    }
}
