import Glibc

/// Flash, RAM or ROM: bytes at an address, possibly visible at further ones, from which code can run.
public final class MemoryRegion {
    public enum Kind: Sendable {
        case ram
        /// Read by the CPU; written through ``MemoryRegion/onStore`` only.
        case flash
        case rom
    }

    public let name: String
    public let kind: Kind
    public let base: UInt32
    public let size: UInt32
    /// What a CPU store into flash or ROM does: the flash controller programs, or refuses with false, which is a bus fault.
    /// Offset, width, value.
    public var onStore: ((UInt32, AccessWidth, UInt32) -> Bool)?

    let bytes: UnsafeMutablePointer<UInt8>
    var mappings: [CodeMapping] = []
    /// Called when decoded code must be thrown away; the machine does that between two instructions.
    var onCodeWritten: (() -> Void)?
    /// Called when code was decoded at a place from which none was before: stores there must be seen.
    var onCodeDecoded: (() -> Void)?
    /// A byte for each granule: whether decoding read it.
    private let decoded: UnsafeMutablePointer<UInt8>
    private var decodedGranules: [Int] = []
    /// The range of offsets that decoding has read; empty when low > high.
    private(set) var decodedLow = UInt32.max
    private(set) var decodedHigh: UInt32 = 0

    private static let granuleShift: UInt32 = 4

    /// - Parameter fill: 0xFF for erased flash.
    init(name: String, kind: Kind, base: UInt32, size: UInt32, fill: UInt8) {
        self.name = name
        self.kind = kind
        self.base = base
        self.size = (size + 3) & ~3
        bytes = .allocate(capacity: Int(self.size) + 16)
        bytes.initialize(repeating: fill, count: Int(self.size) + 16)
        let granules = Int(self.size >> Self.granuleShift) + 2
        decoded = .allocate(capacity: granules)
        decoded.initialize(repeating: 0, count: granules)
    }

    deinit {
        bytes.deallocate()
        decoded.deallocate()
    }

    /// The bytes from `offset`, as many of `count` as there are.
    public func read(at offset: UInt32, count: Int) -> [UInt8] {
        guard offset < size, count > 0 else { return [] }
        return Array(UnsafeBufferPointer(start: bytes + Int(offset), count: min(count, Int(size - offset))))
    }

    /// Puts bytes into the region whatever its kind: loaders, flash programming, DMA. What does not fit is left out.
    /// - Returns: how many were written.
    @discardableResult
    public func write(_ data: some Collection<UInt8>, at offset: UInt32) -> Int {
        guard offset < size else { return 0 }
        let count = min(data.count, Int(size - offset))
        var place = bytes + Int(offset)
        for byte in data.prefix(count) {
            place.pointee = byte
            place += 1
        }
        noteWrite(at: offset, count: UInt32(count))
        return count
    }

    /// Sets `count` bytes, cut at the end of the region: an erased flash page is 0xFF.
    public func fill(_ byte: UInt8, at offset: UInt32, count: UInt32) {
        guard offset < size else { return }
        let count = min(count, size - offset)
        (bytes + Int(offset)).update(repeating: byte, count: Int(count))
        noteWrite(at: offset, count: count)
    }

    /// The halfword at `offset`, which is even; nil outside.
    func halfword(at offset: UInt32) -> UInt32? {
        guard offset <= size &- 2, offset & 1 == 0 else { return nil }
        return UInt32(UnsafeRawPointer(bytes + Int(offset)).loadUnaligned(as: UInt16.self))
    }

    /// Remembers that decoded operations depend on these bytes.
    func noteDecoded(at offset: UInt32, count: UInt32) {
        guard offset < size, count > 0 else { return }
        let last = min(offset &+ count &- 1, size &- 1)
        for granule in Int(offset >> Self.granuleShift)...Int(last >> Self.granuleShift) where decoded[granule] == 0 {
            decoded[granule] = 1
            decodedGranules.append(granule)
            let start = UInt32(granule) << Self.granuleShift
            decodedLow = min(decodedLow, start)
            decodedHigh = max(decodedHigh, start &+ (1 << Self.granuleShift))
            onCodeDecoded?()
        }
    }

    /// To be called after bytes changed: asks for decoded operations to be thrown away when any depends on them.
    func noteWrite(at offset: UInt32, count: UInt32) {
        guard count > 0, offset < decodedHigh, offset &+ count > decodedLow, offset < size else { return }
        let last = min(offset &+ count &- 1, size &- 1)
        for granule in Int(offset >> Self.granuleShift)...Int(last >> Self.granuleShift) where decoded[granule] != 0 {
            onCodeWritten?()
            return
        }
    }

    /// Throws all decoded operations away. They may depend on each other across granules, so none is kept.
    func forgetDecoded() {
        for granule in decodedGranules {
            decoded[granule] = 0
            let offset = UInt32(granule) << Self.granuleShift
            for mapping in mappings where offset >= mapping.regionOffset {
                let index = Int((offset - mapping.regionOffset) >> 1)
                guard index < Int(mapping.size >> 1) else { continue }
                let count = min(1 << Int(Self.granuleShift - 1), Int(mapping.size >> 1) - index)
                (mapping.ops + index).update(repeating: Op(.undecoded), count: count)
            }
        }
        decodedGranules.removeAll(keepingCapacity: true)
        decodedLow = .max
        decodedHigh = 0
    }
}
