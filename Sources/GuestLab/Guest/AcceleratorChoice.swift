/// The accelerator a guest runs under, and one line that says why.
public struct AcceleratorChoice: Sendable, Equatable, Codable {
    public let accelerator: Accelerator
    public let reason: String

    public init(accelerator: Accelerator, reason: String) {
        self.accelerator = accelerator
        self.reason = reason
    }
}
