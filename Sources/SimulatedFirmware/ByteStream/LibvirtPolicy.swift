/// What a guest may do with the host's libvirt daemon.
enum LibvirtPolicy: String {
    case readOnly = "read-only"
    case full

    /// Where Debian's libvirtd listens for it.
    var defaultSocket: String {
        switch self {
        case .readOnly: "unix:/run/libvirt/libvirt-sock-ro"
        case .full: "unix:/run/libvirt/libvirt-sock"
        }
    }
}
