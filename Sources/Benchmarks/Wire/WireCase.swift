/// One thing that is measured on a link.
struct WireCase: Sendable {
    enum Kind: Sendable {
        /// Transfers a second with this many in flight.
        case throughput(depth: UInt32)
        /// Nanoseconds from request to reply, one at a time.
        case roundTrip
    }

    enum Target: Sendable { case control, bulkIn, bulkOut }

    let name: String
    let kind: Kind
    let target: Target
    /// Bytes of one transfer.
    let size: UInt32

    static let all = [
        WireCase(name: "in-512-q32", kind: .throughput(depth: 32), target: .bulkIn, size: 512),
        WireCase(name: "out-512-q32", kind: .throughput(depth: 32), target: .bulkOut, size: 512),
        WireCase(name: "in-16k-q16", kind: .throughput(depth: 16), target: .bulkIn, size: 16 << 10),
        WireCase(name: "out-16k-q16", kind: .throughput(depth: 16), target: .bulkOut, size: 16 << 10),
        WireCase(name: "control-18-q1", kind: .roundTrip, target: .control, size: 18),
        WireCase(name: "in-512-q1", kind: .roundTrip, target: .bulkIn, size: 512),
    ]

    /// bEndpointAddress.
    var endpoint: UInt8 {
        switch target {
        case .control: 0x80
        case .bulkIn: LoopFunction.inAddress
        case .bulkOut: LoopFunction.outAddress
        }
    }
}
