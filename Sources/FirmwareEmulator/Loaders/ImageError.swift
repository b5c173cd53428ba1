/// Why a file is not a firmware image that can be loaded; names the place and the reason.
public struct ImageError: Error, Sendable, Equatable, CustomStringConvertible {
    public var format: ImageFormat
    /// Byte offset in the file, where one place is to blame.
    public var offset: Int?
    public var reason: String

    public init(_ format: ImageFormat, at offset: Int? = nil, _ reason: String) {
        self.format = format
        self.offset = offset
        self.reason = reason
    }

    public var description: String {
        guard let offset else { return "\(format.rawValue) image: \(reason)" }
        return "\(format.rawValue) image, offset \(offset) (0x\(String(offset, radix: 16))): \(reason)"
    }
}
