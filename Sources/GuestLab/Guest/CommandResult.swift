/// What a command in a guest came to.
public struct CommandResult: Sendable, Equatable {
    public let exitCode: Int
    /// Standard output and standard error as they came.
    public let output: [UInt8]

    /// The output as text without its last newline.
    public var text: String {
        var text = String(decoding: output, as: UTF8.self)
        if text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
