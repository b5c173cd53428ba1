import _Volatile

/// Bytes on their way, in memory that nothing else uses: 2048 of them.
struct Ring {
    static let capacity: UInt32 = 2048

    private let base: UInt
    private var head: UInt32 = 0
    private var tail: UInt32 = 0

    init(at base: UInt) { self.base = base }

    var count: UInt32 { head &- tail }
    var room: UInt32 { Self.capacity &- count }

    mutating func put(_ byte: UInt8) {
        guard room > 0 else { return }
        store8(base &+ UInt(head & (Self.capacity - 1)), byte)
        head &+= 1
    }

    /// The oldest byte; 0 when there is none.
    mutating func take() -> UInt8 {
        guard count > 0 else { return 0 }
        defer { tail &+= 1 }
        return load8(base &+ UInt(tail & (Self.capacity - 1)))
    }

    mutating func clear() { tail = head }
}

func load8(_ address: UInt) -> UInt8 { VolatileMappedRegister<UInt8>(unsafeBitPattern: address).load() }

func store8(_ address: UInt, _ value: UInt8) {
    VolatileMappedRegister<UInt8>(unsafeBitPattern: address).store(value)
}
