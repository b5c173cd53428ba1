/// What is at which address: memory by pointer for the executor's fast path, everything by pages of 1 KiB for the rest.
public final class MemoryMap {
    /// Memory that the executor reads and writes itself. At most one for each 16 MiB of addresses.
    struct Window {
        var bytes: UnsafeMutablePointer<UInt8>
        var base: UInt32
        var readLimit: UInt32
        /// Stores in `writeBase ..< writeBase + writeLimit` need no further look: no code was decoded there.
        var writeBase: UInt32
        var writeLimit: UInt32
    }

    enum Target {
        case memory(MemoryRegion, base: UInt32)
        case registers(any Peripheral)
    }

    public private(set) var regions: [MemoryRegion] = []
    public private(set) var peripherals: [any Peripheral] = []
    /// SRAM and peripheral bits at 0x22000000 and 0x42000000, a word each (ARMv7-M only).
    public var hasBitBand = false
    /// Called when what the executor may have cached about addresses is no longer so.
    var onChange: [() -> Void] = []
    var onCodeWritten: [() -> Void] = []

    let windows: UnsafeMutablePointer<Window>
    /// The same without writing, as ``closeForWriting()`` made it: every store is seen.
    let closedWindows: UnsafeMutablePointer<Window>
    /// The same with nothing in them: every access is seen.
    let fullyClosedWindows: UnsafeMutablePointer<Window>

    /// Counts writes to memory by others than the CPU: DMA, loaders, debuggers.
    private(set) var outsideWrites = 0
    private var areClosedWindowsOld = true

    private let nowhere: UnsafeMutablePointer<UInt8>
    private var pages: [UInt32: [Target]] = [:]
    private var pageCache: [Target?] = Array(repeating: nil, count: 256)
    private var pageCacheTags: [UInt32] = Array(repeating: .max, count: 256)
    private var aliases: [UInt32: CodeMapping] = [:]
    /// Mappings that code may still be running in.
    private var retired: [CodeMapping] = []

    public init() {
        nowhere = .allocate(capacity: 16)
        nowhere.initialize(repeating: 0, count: 16)
        let closed = Window(bytes: nowhere, base: 0, readLimit: 0, writeBase: 0, writeLimit: 0)
        windows = .allocate(capacity: 256)
        windows.initialize(repeating: closed, count: 256)
        closedWindows = .allocate(capacity: 256)
        closedWindows.initialize(repeating: closed, count: 256)
        fullyClosedWindows = .allocate(capacity: 256)
        fullyClosedWindows.initialize(repeating: closed, count: 256)
    }

    deinit {
        windows.deallocate()
        closedWindows.deallocate()
        fullyClosedWindows.deallocate()
        nowhere.deallocate()
    }

    // MARK: Building

    /// Memory of `size` bytes, at most 16 MiB; `base` a multiple of 4.
    @discardableResult
    public func addRAM(_ name: String = "SRAM", at base: UInt32, size: UInt32) -> MemoryRegion {
        add(MemoryRegion(name: name, kind: .ram, base: base & ~3, size: min(size, 1 << 24), fill: 0))
    }

    /// Erased flash: 0xFF everywhere.
    @discardableResult
    public func addFlash(_ name: String = "flash", at base: UInt32, size: UInt32) -> MemoryRegion {
        add(MemoryRegion(name: name, kind: .flash, base: base & ~3, size: min(size, 1 << 24), fill: 0xFF))
    }

    /// Memory that firmware cannot write: system memory, option bytes, unique id.
    @discardableResult
    public func addROM(_ name: String, at base: UInt32, bytes: [UInt8]) -> MemoryRegion {
        let region = MemoryRegion(
            name: name, kind: .rom, base: base & ~3, size: UInt32(truncatingIfNeeded: min(bytes.count, 1 << 24)),
            fill: 0xFF)
        region.write(bytes, at: 0)
        return add(region)
    }

    /// Makes `region` visible at `base` too, in place of what an earlier alias showed there.
    public func setAlias(at base: UInt32, to region: MemoryRegion) {
        if let old = aliases[base] {
            guard old.region !== region else { return }
            retired.append(old)
            old.region.mappings.removeAll { $0 === old }
            unmap(base: base, size: old.size)
        }
        let mapping = CodeMapping(base: base, size: region.size, regionOffset: 0, region: region)
        aliases[base] = mapping
        region.mappings.append(mapping)
        map(.memory(region, base: base), base: base, size: region.size)
        rebuildWindows()
    }

    /// Puts a peripheral on the bus. Where two cover the same address the one added last is used, so that a plain
    /// storage block may lie under everything.
    public func add(_ peripheral: any Peripheral) {
        peripherals.append(peripheral)
        map(.registers(peripheral), base: peripheral.base, size: peripheral.size)
    }

    private func add(_ region: MemoryRegion) -> MemoryRegion {
        region.onCodeWritten = { [unowned self] in
            for action in onCodeWritten { action() }
        }
        region.onCodeDecoded = { [unowned self, unowned region] in
            if region.kind == .ram { rebuildWindows() }
        }
        regions.append(region)
        region.mappings.append(CodeMapping(base: region.base, size: region.size, regionOffset: 0, region: region))
        map(.memory(region, base: region.base), base: region.base, size: region.size)
        rebuildWindows()
        return region
    }

    private func map(_ target: Target, base: UInt32, size: UInt32) {
        guard size > 0 else { return }
        for page in (base >> 10)...((base &+ (size &- 1)) >> 10) { pages[page, default: []].insert(target, at: 0) }
        forgetPages()
    }

    private func unmap(base: UInt32, size: UInt32) {
        guard size > 0 else { return }
        for page in (base >> 10)...((base &+ (size &- 1)) >> 10) {
            pages[page]?.removeAll { if case .memory(_, let start) = $0 { start == base } else { false } }
        }
        forgetPages()
    }

    private func forgetPages() {
        for index in pageCacheTags.indices { pageCacheTags[index] = .max }
        for action in onChange { action() }
    }

    /// Writes the executor's table anew: after regions, aliases or the range of decoded code in RAM changed.
    func rebuildWindows() {
        areClosedWindowsOld = true
        for index in 0..<256 { windows[index] = fullyClosedWindows[index] }
        for region in regions {
            for mapping in region.mappings {
                let segment = Int(mapping.base >> 24)
                guard windows[segment].readLimit == 0 else { continue }
                var window = Window(
                    bytes: region.bytes, base: mapping.base,
                    readLimit: min(region.size, 0x100_0000 - (mapping.base & 0xFF_FFFF)),
                    writeBase: 0, writeLimit: 0)
                if region.kind == .ram {
                    // The larger part beside the decoded code, so that stores into code are seen.
                    let low = min(region.decodedLow, window.readLimit)
                    let high = min(region.decodedHigh, window.readLimit)
                    if high == 0 || low >= window.readLimit - high {
                        window.writeBase = 0
                        window.writeLimit = high == 0 ? window.readLimit : low
                    } else {
                        window.writeBase = high
                        window.writeLimit = window.readLimit - high
                    }
                }
                windows[segment] = window
            }
        }
    }

    /// Makes ``closedWindows`` what ``windows`` is now, for reading only.
    func closeForWriting() {
        guard areClosedWindowsOld else { return }
        areClosedWindowsOld = false
        for index in 0..<256 {
            closedWindows[index] = windows[index]
            closedWindows[index].writeLimit = 0
        }
    }

    // MARK: Looking up

    /// What is at an address; nil for nothing.
    func target(at address: UInt32) -> Target? {
        let page = address >> 10
        let slot = Int(page & 0xFF)
        if pageCacheTags[slot] == page, let target = pageCache[slot] { return target }
        guard let targets = pages[page] else { return nil }
        // Whole pages are kept, also those over plain storage.
        if case .registers(let peripheral)? = targets.first, peripheral.base & 0x3FF == 0, peripheral.size & 0x3FF == 0
        {
            pageCache[slot] = targets[0]
            pageCacheTags[slot] = page
            return targets[0]
        }
        return targets.first { target in
            switch target {
            case .memory(let region, let base): address &- base < region.size
            case .registers(let peripheral): address &- peripheral.base < peripheral.size
            }
        }
    }

    /// The table of operations for code at `address`; nil when no code can run there.
    func codeMapping(at address: UInt32) -> CodeMapping? {
        guard case .memory(let region, let base)? = target(at: address) else { return nil }
        return region.mappings.first { $0.base == base && address &- base < $0.size }
    }

    /// Lets go of mappings that were replaced; when nothing runs in them.
    func dropRetired() { retired.removeAll() }

    // MARK: For loaders, debuggers and DMA: no faults, no side effects in registers

    /// Up to `count` bytes of memory from `address`, ending where memory ends.
    public func bytes(at address: UInt32, count: Int) -> [UInt8] {
        guard case .memory(let region, let base)? = target(at: address) else { return [] }
        return region.read(at: address &- base, count: count)
    }

    /// Writes into memory of any kind, flash included.
    /// - Returns: how many bytes there was memory for.
    @discardableResult
    public func write(_ data: some Collection<UInt8>, at address: UInt32) -> Int {
        guard case .memory(let region, let base)? = target(at: address) else { return 0 }
        outsideWrites &+= 1
        return region.write(data, at: address &- base)
    }

    /// A value from memory, or from a register with all that reading it does; nil where nothing is.
    public func read(_ address: UInt32, width: AccessWidth) -> UInt32? {
        switch target(at: address) {
        case .memory(let region, let base):
            let data = region.read(at: address &- base, count: Int(width.rawValue))
            guard data.count == Int(width.rawValue) else { return nil }
            return data.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        case .registers(let peripheral): return peripheral.read(address &- peripheral.base, width: width) & width.mask
        case nil: return nil
        }
    }

    /// Writes to memory as the CPU would (flash through its controller), or to a register.
    /// - Returns: false where nothing is or what is there refuses.
    @discardableResult
    public func write(_ address: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        switch target(at: address) {
        case .memory(let region, let base):
            let offset = address &- base
            guard UInt64(offset) + UInt64(width.rawValue) <= UInt64(region.size) else { return false }
            switch region.kind {
            case .ram:
                outsideWrites &+= 1
                region.write((0..<width.rawValue).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }, at: offset)
                return true
            case .flash, .rom: return region.onStore?(offset, width, value & width.mask) ?? false
            }
        case .registers(let peripheral):
            peripheral.write(address &- peripheral.base, width: width, value: value & width.mask)
            return true
        case nil: return false
        }
    }
}
