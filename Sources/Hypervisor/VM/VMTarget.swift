/// A VM to watch, as a source names it.
struct VMTarget: Equatable, Sendable {
    let id: String
    let name: String
    let source: VMSource
    /// QMP sockets to try in turn; empty when the VM cannot be controlled.
    var sockets: [String]
    /// What /proc says, for a VM found there.
    var process: QEMUProcess?
    /// True when the VM stays listed while nothing is there: the configuration names it.
    var isPermanent: Bool
}
