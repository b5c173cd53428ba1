/// Why the lab could not build, boot or talk to a guest; every message names the thing and the next step.
public enum LabError: Error, Equatable, CustomStringConvertible {
    /// Host tools are absent; the message is exactly the command that installs them.
    case missingPackages([String])
    /// The host's package lists do not know a kernel.
    case noKernelPackage(String)
    /// A helper program failed: its name, how it ended, and the tail of what it printed.
    case toolFailed(tool: String, status: String, output: String)
    /// A file that should be a kernel, an archive or a module index is not one.
    case malformed(file: String, reason: String)
    /// The operating system refused something on a path.
    case system(what: String, path: String, errno: Int32)
    /// A value of the caller's configuration is not usable.
    case configuration(String)
    /// QEMU ended before or while it was needed.
    case guestEnded(name: String, status: String, detail: String)
    /// Something did not happen in time; `detail` shows the last thing that did.
    case timeout(waitingFor: String, after: Duration, detail: String)
    /// QMP answered a command with an error.
    case qmp(command: String, kind: String, description: String)
    /// A command in the guest ended with a status the caller did not want.
    case commandFailed(command: String, exitCode: Int, output: String)
    /// A peer on one of the lab's sockets broke its protocol.
    case protocolViolation(String)

    public var description: String {
        switch self {
        case .missingPackages(let packages):
            "apt-get install -y --no-install-recommends " + packages.joined(separator: " ")
        case .noKernelPackage(let reason): reason
        case .toolFailed(let tool, let status, let output): "\(tool) \(status)" + (output.isEmpty ? "" : ": \(output)")
        case .malformed(let file, let reason): "\(file): \(reason)"
        case .system(let what, let path, let code): "\(what) \(path): \(describe(errno: code))"
        case .configuration(let reason): reason
        case .guestEnded(let name, let status, let detail):
            "guest \(name) \(status)" + (detail.isEmpty ? "" : ": \(detail)")
        case .timeout(let what, let after, let detail):
            "no \(what) within \(after)" + (detail.isEmpty ? "" : "; last: \(detail)")
        case .qmp(let command, let kind, let description): "QMP \(command): \(kind): \(description)"
        case .commandFailed(let command, let code, let output):
            "`\(command)` in the guest exited with \(code)" + (output.isEmpty ? "" : ": \(output)")
        case .protocolViolation(let reason): reason
        }
    }
}
