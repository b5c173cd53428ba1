import ControlProtocol

/// A guest in which `2virt-guest watch` runs.
struct Watcher {
    let link: WatchLink
    let guest: String
    let peer: String
    let since: Double
    /// Numbers are given out once; a device is attached once by itself for each.
    var appearance: Int
}

/// A guest as USB/IP sees it.
struct USBIPGuest: Sendable {
    /// The VM's name, or that of a watcher without a VM of ours.
    var name: String
    var id: String
    var way: AttachWay
    /// Of the guest agent, where that is the way.
    var agentSocket: String?

    /// Id of a guest of which only its watcher is known.
    static func id(ofWatcher guest: String) -> String { "watch:\(guest)" }
}
