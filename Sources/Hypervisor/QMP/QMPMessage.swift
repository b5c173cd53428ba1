import NIOCore

/// One line from QEMU.
enum QMPMessage: Equatable {
    case greeting(QMPGreeting)
    case event(QMPEvent)
    case reply(id: Int64, JSONValue)
    case failure(id: Int64, errorClass: String, text: String)

    /// A line that is none of these; `detail` is fit for an error message.
    struct Malformed: Error { let detail: String }

    init(line: ByteBuffer) throws(Malformed) {
        let value: JSONValue
        do {
            value = try JSONParser.parse(line.readableBytesView)
        } catch {
            throw Malformed(detail: "a line is not JSON: \(Self.excerpt(line))")
        }
        if let greeting = value["QMP"] {
            self = .greeting(Self.greeting(greeting))
        } else if let name = value["event"]?.string {
            self = .event(QMPEvent(name: name, data: value["data"] ?? .null))
        } else if let result = value["return"], let id = value["id"]?.int {
            self = .reply(id: id, result)
        } else if let error = value["error"], let id = value["id"]?.int {
            let text = error["desc"]?.string ?? "no description"
            self = .failure(id: id, errorClass: error["class"]?.string ?? "GenericError", text: text)
        } else {
            throw Malformed(detail: "a line is no QMP message: \(Self.excerpt(line))")
        }
    }

    private static func greeting(_ value: JSONValue) -> QMPGreeting {
        let qemu = value["version"]?["qemu"]
        let parts = ["major", "minor", "micro"].compactMap { qemu?[$0]?.int }.map(String.init)
        return QMPGreeting(
            version: parts.isEmpty ? "unknown" : parts.joined(separator: "."),
            package: value["version"]?["package"]?.string ?? "")
    }

    /// The first 60 bytes, with anything unprintable shown as a dot.
    private static func excerpt(_ line: ByteBuffer) -> String {
        let shown = line.readableBytesView.prefix(60).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: ".") }
        return "\"" + String(decoding: shown, as: UTF8.self) + (line.readableBytes > 60 ? "…\"" : "\"")
    }
}
