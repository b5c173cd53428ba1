import NIOCore

/// What the guest's agent says on the command channel.
enum AgentReply: Equatable, Sendable {
    /// `ready RELEASE`
    case ready(kernelRelease: String)
    /// `exit ID STATUS SIZE`, then SIZE bytes of output.
    case exit(id: Int, CommandResult)
}
