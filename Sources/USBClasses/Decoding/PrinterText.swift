import USBCore

/// What a printer is asked, told and given, in words.
enum PrinterText {
    /// nil for requests that are not of this class.
    static func request(_ setup: SetupPacket, data: [UInt8]) -> String? {
        switch PrinterClass.Request(rawValue: setup.request) {
        case .getDeviceID?:
            // Its length comes first.
            return data.count > 2
                ? "GET_DEVICE_ID \(PrintableText.quoted(Array(data[2...]), limit: 48))" : "GET_DEVICE_ID"
        case .getPortStatus?:
            guard let status = data.first.map(PrinterClass.PortStatus.init(rawValue:)) else { return "GET_PORT_STATUS" }
            var words = [status.contains(.notError) ? "ready" : "error"]
            if status.contains(.paperEmpty) { words.append("paper empty") }
            if !status.contains(.selected) { words.append("not selected") }
            return "GET_PORT_STATUS \(words.joined(separator: ", "))"
        case .softReset?: return "SOFT_RESET"
        case nil: return nil
        }
    }

    /// HTTP/1.1 of IPP over USB: the first line of a request or an answer, what IPP message it carries where that begins
    /// the transfer, else how much of a body it is.
    static func http(_ head: [UInt8], total: Int) -> String {
        let line = head.prefix { $0 != 0x0D && $0 != 0x0A }
        if line.count < head.count, line.starts(with: "HTTP/1.".utf8) || endsInVersion(line) {
            return PrintableText.quoted(Array(line), limit: 60).filter { $0 != "\"" }
        }
        if head.count >= 8, [1, 2].contains(head[0]), head[1] <= 2,
            let operation = IPPMessage.code(head).flatMap(IPPMessage.Operation.init(rawValue:))
        {
            return "IPP \(operation.name)"
        }
        return "body, \(total) B"
    }

    private static func endsInVersion(_ line: ArraySlice<UInt8>) -> Bool {
        line.suffix(9).dropLast().elementsEqual(" HTTP/1.".utf8)
    }
}
