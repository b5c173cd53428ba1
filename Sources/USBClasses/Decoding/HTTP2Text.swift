/// HTTP/2 frames at the start of a transfer in words (RFC 9113 sections 4 and 6); a guess, since no state is kept.
enum HTTP2Text {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// Frames named in one line.
    private static let most = 3

    static func line(_ head: [UInt8], total: Int) -> String {
        var parts: [String] = []
        var offset = 0
        if head.starts(with: preface) || (head.count >= 3 && preface.starts(with: head)) {
            parts.append("preface")
            offset = preface.count
        }
        while parts.count < most, let frame = Frame(head, at: offset) {
            parts.append(frame.text)
            offset += 9 + frame.length
        }
        guard !parts.isEmpty else { return "HTTP/2 \(total) B of a frame" }
        return "HTTP/2 " + parts.joined(separator: ", ") + (offset < total ? ", …" : "")
    }

    /// A frame header that makes sense.
    private struct Frame {
        let length: Int
        let text: String

        init?(_ bytes: [UInt8], at offset: Int) {
            guard offset >= 0, bytes.count - offset >= 9 else { return nil }
            let raw = bytes[offset..<offset + 9].map { UInt32($0) }
            let length = Int(raw[0] << 16 | raw[1] << 8 | raw[2])
            let flags = raw[4]
            let stream = raw[5] << 24 | raw[6] << 16 | raw[7] << 8 | raw[8]
            guard stream < 0x8000_0000 else { return nil }
            let payload = bytes[(offset + 9)...].prefix(length).map { UInt32($0) }
            let ends = flags & 1 != 0 ? " END_STREAM" : ""
            let hasStream = stream != 0
            switch raw[3] {
            case 0 where hasStream && flags & ~0x09 == 0: text = "DATA stream \(stream) \(length) B\(ends)"
            case 1 where hasStream && flags & ~0x2D == 0 && length > 0: text = "HEADERS stream \(stream)\(ends)"
            case 2 where hasStream && length == 5: text = "PRIORITY stream \(stream)"
            case 3 where hasStream && length == 4: text = "RST_STREAM stream \(stream)\(Self.error(payload))"
            case 4 where !hasStream && length % 6 == 0 && length < 1024:
                text = flags & 1 != 0 ? "SETTINGS ACK" : "SETTINGS"
            case 5 where hasStream && length > 4: text = "PUSH_PROMISE stream \(stream)"
            case 6 where !hasStream && length == 8: text = flags & 1 != 0 ? "PING ACK" : "PING"
            case 7 where !hasStream && length >= 8: text = "GOAWAY\(Self.error(Array(payload.dropFirst(4))))"
            case 8 where length == 4:
                let increment = payload.count == 4 ? " +\(Self.word(payload) & 0x7FFF_FFFF)" : ""
                text = "WINDOW_UPDATE \(hasStream ? "stream \(stream)" : "connection")\(increment)"
            case 9 where hasStream: text = "CONTINUATION stream \(stream)"
            default: return nil
            }
            self.length = length
        }

        /// Callers give at least four bytes.
        private static func word(_ bytes: [UInt32]) -> UInt32 {
            bytes.prefix(4).reduce(0) { $0 << 8 | $1 }
        }

        private static let errors = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
            "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
        ]

        private static func error(_ bytes: [UInt32]) -> String {
            guard bytes.count >= 4 else { return "" }
            let code = Int(word(bytes))
            return errors.indices.contains(code) ? " \(errors[code])" : " error \(code)"
        }
    }
}
