import USBIPCodec

/// What hangs on the virtual host controller, as text or JSON.
public struct PortListing {
    struct Row {
        var port: VHCIPort
        var record: AttachmentRecord?
        var isRemoved: Bool

        /// In words.
        var state: String {
            switch port.state {
            case .free: "free"
            case .starting: "starting"
            case .used: isRemoved ? "removed in this guest; detach it" : "attached"
            case .failing: "ending"
            }
        }

        var source: String { record.map { "\(ExporterAddress(host: $0.host, port: UInt16($0.port) ?? 0))" } ?? "?" }
    }

    let rows: [Row]

    public init(_ vhci: VHCI) throws(GuestError) {
        rows = try vhci.ports().filter { $0.state != .free }.map {
            Row(port: $0, record: vhci.record(of: $0.number), isRemoved: vhci.isRemoved($0))
        }
    }

    public var isEmpty: Bool { rows.isEmpty }

    public var text: String {
        rows.map { row in
            "port \(row.port.number)  \(row.record?.busID ?? "?") of \(row.source)  "
                + "\(row.port.localName ?? "-")  \(row.state)"
        }.joined(separator: "\n")
    }

    public var json: String {
        JSONValue.array(
            rows.map { row in
                .object([
                    ("port", .number(row.port.number)), ("hub", .string(row.port.hub.rawValue)),
                    ("busid", row.record.map { .string($0.busID) } ?? .null),
                    ("host", row.record.map { _ in .string(row.source) } ?? .null),
                    ("device", row.port.localName.map { .string($0) } ?? .null),
                    ("state", .string(row.isRemoved ? "removed" : "\(row.port.state)")),
                ])
            }
        ).text()
    }
}
