import NIOCore

/// One upstream of a cluster and what is known of its health.
struct UpstreamMember {
    let upstream: Upstream
    /// Why it is held to be down; nil while it is up.
    var trouble: String?
    /// Failures in a row.
    var failures = 0
    /// When it is looked at next.
    var nextProbe: NIODeadline
    var isProbing = false

    var isUp: Bool { trouble == nil }
}
