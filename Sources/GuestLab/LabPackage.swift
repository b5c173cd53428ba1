/// One Debian package the lab calls on the host, and the file whose presence proves it is installed.
public struct LabPackage: Sendable, Equatable {
    public let name: String
    /// What the lab does with it.
    public let purpose: String
    /// A program name looked up in PATH and the system directories, or an absolute path.
    public let program: String
    /// Whether the program must be a statically linked ELF executable, because it is copied into the guest.
    public let mustBeStatic: Bool

    public init(name: String, purpose: String, program: String, mustBeStatic: Bool = false) {
        self.name = name
        self.purpose = purpose
        self.program = program
        self.mustBeStatic = mustBeStatic
    }
}
