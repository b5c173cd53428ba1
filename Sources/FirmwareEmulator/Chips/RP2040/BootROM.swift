/// The RP2040's boot ROM: its tables of functions (RP2040 datasheet 2.8.3), which are ours and not Raspberry Pi's code.
///
/// A function is a few instructions that write to a register of ``BootROMCalls``, which does the work.
struct BootROM {
    static let size = 0x4000
    /// B2, the version that all later chips have.
    static let version: UInt8 = 3
    static let stackTop: UInt32 = 0x2004_2000
    static let calls: UInt32 = 0x0000_4000

    private(set) var bytes = [UInt8](repeating: 0, count: size)
    private var next: UInt32 = 0x200
    /// What the index of a call means.
    private(set) var functions: [BootROMFunction] = []

    /// Where ``endless`` is: `wfi` and a jump back.
    private(set) var endless: UInt32 = 0
    /// Where the second core waits for its vector.
    private(set) var waitForVector: UInt32 = 0

    init() {
        endless = emit([0xBF30, 0xE7FD]) | 1
        let lookup = thunk(.lookup)
        waitForVector = endless
        var table: [(String, UInt32)] = []
        for (code, function) in Self.named { table.append((code, thunk(function))) }
        table.append(("WV", waitForVector))
        // It does not come back.
        table.append(("UB", thunk(.usbBoot, isEndless: true)))
        table.append(("DE", endless))
        let float = floatTable(Self.floats)
        let double = floatTable(Self.doubles)
        let copyright = next
        put(Array("2Virt\0".utf8), at: copyright)
        next += 8
        let tableSize = next
        put([UInt8(Self.floats.count)], at: tableSize)
        next += 4
        let git = next
        put([0, 0, 0, 0], at: git)
        next += 4
        let functionTable = codes(table)
        let dataTable = codes([
            ("CR", copyright), ("GR", git), ("SF", float), ("SD", double), ("FZ", tableSize), ("FS", float),
            ("FE", double),
            ("DS", double), ("DE", double + UInt32(Self.floats.count) * 4),
        ])
        setVectors(stack: Self.stackTop, entry: endless)
        for vector in 2..<48 { put32(endless, at: UInt32(vector) * 4) }
        // The words at 0x10 to 0x19 are no vectors here (section 2.8.3).
        put([0x4D, 0x75, 0x01, Self.version], at: 0x10)
        put16(functionTable, at: 0x14)
        put16(dataTable, at: 0x16)
        put16(lookup, at: 0x18)
    }

    /// What a reset starts with, where no other vector table is used.
    mutating func setVectors(stack: UInt32, entry: UInt32) {
        put32(stack, at: 0)
        put32(entry, at: 4)
    }

    private static let named: [(String, BootROMFunction)] = [
        ("P3", .popcount), ("R3", .reverse), ("L3", .leadingZeros), ("T3", .trailingZeros), ("MS", .fill),
        ("S4", .fill),
        ("MC", .copy), ("C4", .copy), ("IF", .nothing), ("EX", .nothing), ("RE", .eraseFlash), ("RP", .programFlash),
        ("FC", .nothing), ("CX", .nothing), ("DT", .nothing),
    ]

    /// Order of the datasheet's tables (section 2.8.3.2).
    private static let floats: [FloatOperation] = [
        .add, .subtract, .multiply, .divide, .compare, .compareFlags, .squareRoot, .toInt, .toFix, .toUInt, .toUFix,
        .fromInt, .fromFix, .fromUInt, .fromUFix, .cosine, .sine, .tangent, .sineCosine, .exponential, .logarithm,
        .compare, .arcTangent, .fromInt64, .fromFix64, .fromUInt64, .fromUFix64, .toInt64, .toFix64, .toUInt64,
        .toUFix64, .convert,
    ]
    private static var doubles: [FloatOperation] { floats }

    // MARK: Assembling

    private mutating func floatTable(_ operations: [FloatOperation]) -> UInt32 {
        let isDouble = functions.contains { if case .float = $0 { true } else { false } }
        let addresses = operations.map { thunk(isDouble ? .double($0) : .float($0)) }
        let start = next
        for address in addresses {
            put32(address, at: next)
            next += 4
        }
        return start
    }

    /// - Returns: its address, with the Thumb bit.
    private mutating func thunk(_ function: BootROMFunction, isEndless: Bool = false) -> UInt32 {
        let index = UInt32(functions.count)
        functions.append(function)
        // push {r4}; ldr r4, [pc, #4]; str r4, [r4]; pop {r4}; bx lr; nop; the register's address.
        let end: [UInt16] = isEndless ? [0xBF30, 0xE7FD] : [0xBC10, 0x4770]
        let start = emit([0xB410, 0x4C02, 0x6024] + end + [0xBF00])
        put32(Self.calls + index * 4, at: next)
        next += 4
        return start | 1
    }

    private mutating func emit(_ code: [UInt16]) -> UInt32 {
        next = (next + 3) & ~3
        let start = next
        for halfword in code {
            put16(UInt32(halfword), at: next)
            next += 2
        }
        next = (next + 3) & ~3
        return start
    }

    private mutating func codes(_ entries: [(String, UInt32)]) -> UInt32 {
        next = (next + 3) & ~3
        let start = next
        for (code, address) in entries {
            put(Array(code.utf8), at: next)
            put16(address, at: next + 2)
            next += 4
        }
        put32(0, at: next)
        next += 4
        return start
    }

    private mutating func put(_ data: [UInt8], at address: UInt32) {
        for (index, byte) in data.enumerated() { bytes[Int(address) + index] = byte }
    }

    private mutating func put16(_ value: UInt32, at address: UInt32) {
        put([UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)], at: address)
    }

    private mutating func put32(_ value: UInt32, at address: UInt32) {
        put((0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }, at: address)
    }
}

enum BootROMFunction: Equatable {
    case lookup
    case popcount, reverse, leadingZeros, trailingZeros
    case fill, copy
    case nothing
    case eraseFlash, programFlash
    case usbBoot
    case float(FloatOperation)
    case double(FloatOperation)
}

enum FloatOperation: Equatable {
    case add, subtract, multiply, divide, compare, compareFlags, squareRoot
    case toInt, toFix, toUInt, toUFix, fromInt, fromFix, fromUInt, fromUFix
    case cosine, sine, tangent, sineCosine, exponential, logarithm, arcTangent
    case fromInt64, fromFix64, fromUInt64, fromUFix64, toInt64, toFix64, toUInt64, toUFix64
    /// To the other precision.
    case convert
}
