import Glibc

/// One address range at which a region's code can run, with its table of predecoded operations.
final class CodeMapping {
    let base: UInt32
    /// Bytes of code.
    let size: UInt32
    /// Where in the region `base` is.
    let regionOffset: UInt32
    /// One for each halfword, and some that stay `undecoded` where straight-line code runs off the end.
    let ops: UnsafeMutablePointer<Op>
    unowned let region: MemoryRegion

    static let sentinels = 8

    init(base: UInt32, size: UInt32, regionOffset: UInt32, region: MemoryRegion) {
        self.base = base
        self.size = size & ~1
        self.regionOffset = regionOffset
        self.region = region
        // Zeroed pages cost nothing before they are used: most of a flash is never executed.
        let count = Int(size / 2) + Self.sentinels
        guard let memory = calloc(count, MemoryLayout<Op>.stride) else {
            preconditionFailure("no memory for the code of a region of \(size) bytes")
        }
        ops = memory.bindMemory(to: Op.self, capacity: count)
    }

    deinit { free(ops) }
}
