/// String descriptors (USB 2.0 section 9.6.7).
public enum StringDescriptor {
    /// English (United States).
    public static let englishUS: UInt16 = 0x0409

    /// String descriptor zero: the language ids of the device.
    public static func languages(_ ids: [UInt16]) -> [UInt8] {
        var out: [UInt8] = [UInt8(2 + 2 * min(ids.count, 126)), DescriptorType.string]
        for id in ids.prefix(126) { out.append(little: id) }
        return out
    }

    /// UTF-16LE text, cut to the 126 code units that bLength can hold, never inside a surrogate pair.
    public static func bytes(_ text: String) -> [UInt8] {
        var units = Array(text.utf16.prefix(126))
        if let last = units.last, UTF16.isLeadSurrogate(last) { units.removeLast() }
        var out: [UInt8] = [UInt8(2 + 2 * units.count), DescriptorType.string]
        for unit in units { out.append(little: unit) }
        return out
    }

    /// The text of a string descriptor; broken UTF-16 is repaired.
    public static func text(parsing bytes: [UInt8]) throws(DescriptorError) -> String {
        let raw = try DescriptorBytes("string", type: DescriptorType.string, minimum: 2, in: bytes, at: 0)
        let body = Array(raw.bytes.dropFirst(2))
        let units = stride(from: 0, to: body.count - body.count % 2, by: 2).map {
            UInt16(body[$0]) | UInt16(body[$0 + 1]) << 8
        }
        return String(decoding: units, as: UTF16.self)
    }
}
