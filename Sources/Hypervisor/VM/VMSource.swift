/// Where live VMs come from, one for each `[[vms]]` of the configuration.
public enum VMSource: Sendable, Hashable, CustomStringConvertible {
    /// One QMP socket, under a given name.
    case qmp(path: String, name: String)
    /// Every `*.qmp` socket of a directory is a VM named after the file.
    case qmpDirectory(path: String)
    /// Every QEMU process this user can see.
    case qemuProcesses
    /// A libvirt connection; reported as a trouble, since this build cannot use it.
    case libvirt(uri: String)

    public var description: String {
        switch self {
        case .qmp(let path, let name): "qmp \(name) (\(path))"
        case .qmpDirectory(let path): "qmp-directory \(path)"
        case .qemuProcesses: "qemu-processes"
        case .libvirt(let uri): "libvirt \(uri)"
        }
    }
}

/// Something wrong with a source as a whole, in one line.
public struct SourceTrouble: Sendable, Equatable {
    public let source: VMSource
    public let message: String
}

/// All VMs and all source troubles at one moment.
public struct VMList: Sendable, Equatable {
    /// In the order of the sources.
    public var vms: [VMState] = []
    public var troubles: [SourceTrouble] = []

    public init(vms: [VMState] = [], troubles: [SourceTrouble] = []) {
        self.vms = vms
        self.troubles = troubles
    }
}
