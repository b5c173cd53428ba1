/// The little of IPP that a device in front of a printer says and understands itself (RFC 8010, RFC 8011).
public enum IPPMessage {
    /// Operation codes (RFC 8011 section 5.4.15).
    public enum Operation: UInt16, Sendable {
        case printJob = 0x0002
        case sendDocument = 0x0006
        case getPrinterAttributes = 0x000B

        public var name: String {
            switch self {
            case .printJob: "Print-Job"
            case .sendDocument: "Send-Document"
            case .getPrinterAttributes: "Get-Printer-Attributes"
            }
        }
    }

    /// Whether a status code is one of success (RFC 8011 appendix B.1.2).
    public static func isSuccess(_ status: UInt16) -> Bool { status < 0x0100 }

    /// The operation or the status: bytes 2 and 3 of a message (RFC 8010 section 3.1.1); nil when there are fewer.
    public static func code(_ head: [UInt8]) -> UInt16? {
        head.count >= 4 ? UInt16(head[2]) << 8 | UInt16(head[3]) : nil
    }

    /// Get-Printer-Attributes for one attribute.
    public static func getPrinterAttribute(_ name: String, of printer: String) -> [UInt8] {
        func attribute(_ tag: UInt8, _ name: String, _ value: String) -> [UInt8] {
            let name = Array(name.utf8.prefix(255))
            let value = Array(value.utf8.prefix(1023))
            return [tag] + UInt16(name.count).bigEndianBytes + name + UInt16(value.count).bigEndianBytes + value
        }
        return [1, 1] + Operation.getPrinterAttributes.rawValue.bigEndianBytes + [0, 0, 0, 1, 0x01]
            + attribute(0x47, "attributes-charset", "utf-8") + attribute(0x48, "attributes-natural-language", "en")
            + attribute(0x45, "printer-uri", printer) + attribute(0x44, "requested-attributes", name) + [0x03]
    }

    /// The first value of the first attribute of this name; nil when there is none, or the message makes no sense before
    /// it comes.
    public static func value(of name: String, in message: [UInt8]) -> [UInt8]? {
        var rest = message.dropFirst(8)
        func field() -> ArraySlice<UInt8>? {
            guard rest.count >= 2 else { return nil }
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            guard rest.count - 2 >= length else { return nil }
            defer { rest = rest.dropFirst(2 + length) }
            return rest.dropFirst(2).prefix(length)
        }
        while let tag = rest.popFirst(), tag != 0x03 {
            // Below 0x10 a group begins (RFC 8010 section 3.5.1).
            if tag < 0x10 { continue }
            guard let found = field(), let value = field() else { return nil }
            if found.elementsEqual(name.utf8) { return Array(value) }
        }
        return nil
    }

    /// What a request is aimed at, looked at in its first bytes.
    public enum Retargeting: Equatable, Sendable {
        /// The operation attributes are not all there yet.
        case incomplete
        /// The first `length` bytes become `bytes`.
        case done(bytes: [UInt8], length: Int)
        case refused(String)
    }

    /// A request's head with each `printer-uri` and `job-uri` of its operation attributes mapped: servers of many printers go
    /// by these, not by the path of HTTP (RFC 8011 section 4.1.5).
    ///
    /// - Parameter map: nil for what the guest was not given.
    public static func retargeted(_ head: [UInt8], by map: (String) -> String?) -> Retargeting {
        guard head.count >= 9 else { return .incomplete }
        guard head[8] == 0x01 else { return .refused("the message does not begin with operation attributes") }
        // Codes of vendors, which may be about anything (RFC 8011 section 5.4.15).
        guard let operation = code(head), operation < 0x4000 else {
            return .refused("a vendor's own operation was not given to this device")
        }
        var result = Array(head[..<9])
        var index = 9
        var name: [UInt8] = []
        var targets = 0
        func field(at start: Int) -> ArraySlice<UInt8>? {
            guard head.count - start >= 2 else { return nil }
            let length = Int(head[start]) << 8 | Int(head[start + 1])
            return head.count - start - 2 >= length ? head[(start + 2)..<(start + 2 + length)] : nil
        }
        while index < head.count {
            let tag = head[index]
            if tag < 0x10 {
                guard targets > 0 else { return .refused("the message names no printer") }
                return .done(bytes: result, length: index)
            }
            guard let given = field(at: index + 1), let value = field(at: given.endIndex) else { return .incomplete }
            // Without a name, a further value of the attribute before.
            if !given.isEmpty { name = Array(given) }
            result.append(tag)
            result += UInt16(given.count).bigEndianBytes + given
            if ["printer-uri", "job-uri"].contains(where: { name.elementsEqual($0.utf8) }) {
                let text = String(decoding: value, as: UTF8.self)
                guard tag == 0x45, let mapped = map(text).map({ Array($0.utf8) }), mapped.count <= 1023 else {
                    return .refused("'\(text.prefix(80))' was not given to this device")
                }
                targets += 1
                result += UInt16(mapped.count).bigEndianBytes + mapped
            } else {
                result += UInt16(value.count).bigEndianBytes + value
            }
            index = value.endIndex
        }
        return .incomplete
    }
}
