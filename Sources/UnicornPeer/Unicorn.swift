import Glibc

/// The Unicorn CPU emulator, loaded when it is wanted: the oracle of our CPU's tests and the peer of its benchmark.
public final class Unicorn {
    /// Registers by Unicorn's numbers.
    public enum Register: Int32, Sendable {
        case fpscr = 6, lr = 10, pc = 11, sp = 12, r0 = 66, s0 = 79, primask = 123, xpsr = 120, fpexc = 4
        case control = 117, coprocessorAccess = 111
    }

    /// Cores by Unicorn's numbers.
    public enum Model: Int32, Sendable {
        case cortexM0 = 7, cortexM3 = 8, cortexM4 = 9
    }

    private typealias Open = @convention(c) (Int32, Int32, UnsafeMutablePointer<OpaquePointer?>) -> Int32
    private typealias Close = @convention(c) (OpaquePointer) -> Int32
    private typealias Control = @convention(c) (OpaquePointer, UInt32, Int32) -> Int32
    private typealias Map = @convention(c) (OpaquePointer, UInt64, UInt, UInt32) -> Int32
    private typealias Write = @convention(c) (OpaquePointer, UInt64, UnsafeRawPointer, UInt64) -> Int32
    private typealias Read = @convention(c) (OpaquePointer, UInt64, UnsafeMutableRawPointer, UInt64) -> Int32
    private typealias SetRegister = @convention(c) (OpaquePointer, Int32, UnsafeRawPointer) -> Int32
    private typealias GetRegister = @convention(c) (OpaquePointer, Int32, UnsafeMutableRawPointer) -> Int32
    private typealias Start = @convention(c) (OpaquePointer, UInt64, UInt64, UInt64, UInt) -> Int32
    private typealias Version = @convention(c) (UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<UInt32>?) -> UInt32
    private typealias MMIORead = @convention(c) (OpaquePointer?, UInt64, UInt32, UnsafeMutableRawPointer?) -> UInt64
    private typealias MMIOWrite =
        @convention(c) (OpaquePointer?, UInt64, UInt32, UInt64, UnsafeMutableRawPointer?) -> Void
    private typealias MapMMIO =
        @convention(c) (
            OpaquePointer, UInt64, UInt, MMIORead, UnsafeMutableRawPointer?, MMIOWrite, UnsafeMutableRawPointer?
        ) -> Int32
    private typealias RemoveCache = @convention(c) (OpaquePointer, UInt32, UInt64, UInt64) -> Int32

    /// Why Unicorn cannot be used or refused a call.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public let version: String
    private let engine: OpaquePointer
    private let close: Close
    private let mapMemory: Map, writeMemory: Write, readMemory: Read
    private let setRegister: SetRegister, getRegister: GetRegister, emulate: Start
    private let mapRegisters: MapMMIO
    private let dropCache: RemoveCache

    /// - Parameter library: a path; nil for the system's `libunicorn.so.2`.
    public init(library: String? = nil, model: Model) throws(Failure) {
        let name = library ?? "libunicorn.so.2"
        guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
            throw Failure(description: "\(name) cannot be loaded: install the package libunicorn2 or pip's unicorn")
        }
        func symbol<T>(_ symbol: String, _ type: T.Type) throws(Failure) -> T {
            guard let address = dlsym(handle, symbol) else { throw Failure(description: "\(name) has no \(symbol)") }
            return unsafeBitCast(address, to: type)
        }
        let open = try symbol("uc_open", Open.self)
        close = try symbol("uc_close", Close.self)
        let control = try symbol("uc_ctl", Control.self)
        dropCache = try symbol("uc_ctl", RemoveCache.self)
        mapMemory = try symbol("uc_mem_map", Map.self)
        writeMemory = try symbol("uc_mem_write", Write.self)
        readMemory = try symbol("uc_mem_read", Read.self)
        setRegister = try symbol("uc_reg_write", SetRegister.self)
        getRegister = try symbol("uc_reg_read", GetRegister.self)
        emulate = try symbol("uc_emu_start", Start.self)
        mapRegisters = try symbol("uc_mmio_map", MapMMIO.self)
        let number = try symbol("uc_version", Version.self)(nil, nil)
        version = "\(number >> 24).\(number >> 16 & 0xFF).\(number >> 8 & 0xFF)"
        var opened: OpaquePointer?
        // UC_ARCH_ARM; UC_MODE_THUMB | UC_MODE_MCLASS
        let code = open(1, 16 | 32, &opened)
        guard code == 0, let opened else { throw Failure(description: "uc_open failed with \(code)") }
        engine = opened
        // UC_CTL_CPU_MODEL for writing, one argument
        let modelCode = control(opened, 7 | 1 << 26 | 1 << 30, model.rawValue)
        guard modelCode == 0 else { throw Failure(description: "no such core: \(modelCode)") }
    }

    deinit { _ = close(engine) }

    private func check(_ code: Int32, _ what: String) throws(Failure) {
        guard code == 0 else { throw Failure(description: "\(what) failed with \(code)") }
    }

    /// Memory for everything; sizes are multiples of 4 KiB.
    public func map(_ address: UInt32, size: Int) throws(Failure) {
        try check(mapMemory(engine, UInt64(address), UInt(size), 7), "uc_mem_map")
    }

    public func write(_ bytes: [UInt8], at address: UInt32) throws(Failure) {
        try check(writeMemory(engine, UInt64(address), bytes, UInt64(bytes.count)), "uc_mem_write")
    }

    public func read(_ address: UInt32, count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try check(readMemory(engine, UInt64(address), &bytes, UInt64(count)), "uc_mem_read")
        return bytes
    }

    /// Registers that swallow writes and read as 0, through callbacks as any use of Unicorn has them.
    public func mapRegisters(_ address: UInt32, size: Int, counter: UnsafeMutablePointer<UInt64>) throws(Failure) {
        let code = mapRegisters(
            engine, UInt64(address), UInt(size),
            { _, offset, _, _ in offset & 0xFFF == 0x10 ? 0x10007 : 0 }, nil,
            { _, _, _, _, count in count?.assumingMemoryBound(to: UInt64.self).pointee &+= 1 }, counter)
        try check(code, "uc_mmio_map")
    }

    public subscript(_ register: Register, index: Int32 = 0) -> UInt32 {
        get {
            var value: UInt64 = 0
            _ = getRegister(engine, register.rawValue + index, &value)
            return UInt32(truncatingIfNeeded: value)
        }
        set {
            var value = UInt64(newValue)
            _ = setRegister(engine, register.rawValue + index, &value)
        }
    }

    /// Forgets translated code between the addresses.
    public func forget(from: UInt32, to: UInt32) {
        // UC_CTL_TB_REMOVE_CACHE, two arguments
        _ = dropCache(engine, 9 | 2 << 26 | 1 << 30, UInt64(from), UInt64(to))
    }

    /// - Returns: Unicorn's error, 0 for none.
    public func run(from start: UInt32, until end: UInt32, count: Int = 0) -> Int32 {
        emulate(engine, UInt64(start | 1), UInt64(end), 0, UInt(count))
    }
}
