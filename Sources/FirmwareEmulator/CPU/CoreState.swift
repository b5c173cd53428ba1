/// What the executor keeps at hand while it runs. It lives behind one pointer, next to the registers.
struct CoreState {
    /// The operation to go on with; exact whenever the executor is not running, and inside slow paths.
    var ip: UnsafeMutablePointer<Op>
    /// Where `ip` would be when the time that was given is used up, if code went straight on: an address.
    var deadline: Int
    /// The cycles given for this execution.
    var budget: Int
    /// The table of the code that runs, as an address, and the addresses that it stands for.
    var opsBase: Int
    var codeBase: UInt32
    var codeLimit: UInt32
    var windows: UnsafeMutablePointer<MemoryMap.Window>
    /// N is the sign of these 64 bits, Z is set when the lower 32 are 0: both can be set, as MSR may do.
    var nz: Int64 = 0
    /// 0 or 1.
    var carry: UInt32 = 0
    /// V is bit 31.
    var overflow: UInt32 = 0
    /// The executor must return behind the present instruction.
    var mustExit = false
    /// Registers 0…15 with r13 the stack pointer in use; 16 passes values inside instructions; 17 is 0.
    var registers: UnsafeMutablePointer<UInt32>
    /// A ring of the last jumps: pairs of addresses of operations.
    var trace: UnsafeMutablePointer<Int>
    var traceIndex = 0

    static let traceLength = 16
}

typealias Core = UnsafeMutablePointer<CoreState>

extension UnsafeMutablePointer where Pointee == CoreState {
    @inline(__always) var isZero: Bool { UInt32(truncatingIfNeeded: pointee.nz) == 0 }
    @inline(__always) var isNegative: Bool { pointee.nz < 0 }
    @inline(__always) var isCarry: Bool { pointee.carry != 0 }
    @inline(__always) var isOverflow: Bool { pointee.overflow >> 31 != 0 }
    /// N == V.
    @inline(__always) var isGreaterOrEqual: Bool { isNegative == isOverflow }

    @inline(__always) func setNZ(_ result: UInt32) { pointee.nz = Int64(Int32(bitPattern: result)) }

    @inline(__always) func add(_ x: UInt32, _ y: UInt32) -> UInt32 {
        let (result, carry) = x.addingReportingOverflow(y)
        setNZ(result)
        pointee.carry = carry ? 1 : 0
        pointee.overflow = (x ^ result) & (y ^ result)
        return result
    }

    @inline(__always) @discardableResult func subtract(_ x: UInt32, _ y: UInt32) -> UInt32 {
        let result = x &- y
        setNZ(result)
        pointee.carry = x >= y ? 1 : 0
        pointee.overflow = (x ^ y) & (x ^ result)
        return result
    }

    @inline(__always) func addWithCarry(_ x: UInt32, _ y: UInt32) -> UInt32 {
        let sum = UInt64(x) &+ UInt64(y) &+ UInt64(pointee.carry)
        let result = UInt32(truncatingIfNeeded: sum)
        setNZ(result)
        pointee.carry = UInt32(truncatingIfNeeded: sum >> 32)
        pointee.overflow = (x ^ result) & (y ^ result)
        return result
    }

    /// APSR.NZCV in bits 31…28.
    var flagBits: UInt32 {
        get {
            (isNegative ? 1 << 31 : 0) | (isZero ? 1 << 30 : 0) | (isCarry ? 1 << 29 : 0) | (isOverflow ? 1 << 28 : 0)
        }
        nonmutating set {
            pointee.nz = (newValue >> 31 != 0 ? Int64.min : 0) | (newValue >> 30 & 1 != 0 ? 0 : 1)
            pointee.carry = newValue >> 29 & 1
            pointee.overflow = newValue << 3 & 0x8000_0000
        }
    }

    /// Whether a condition code (ARMv7-M ARM A7.3) holds.
    func holds(_ condition: Int) -> Bool {
        switch condition {
        case 0: isZero
        case 1: !isZero
        case 2: isCarry
        case 3: !isCarry
        case 4: isNegative
        case 5: !isNegative
        case 6: isOverflow
        case 7: !isOverflow
        case 8: isCarry && !isZero
        case 9: !(isCarry && !isZero)
        case 10: isGreaterOrEqual
        case 11: !isGreaterOrEqual
        case 12: !isZero && isGreaterOrEqual
        case 13: !(!isZero && isGreaterOrEqual)
        default: true
        }
    }

    /// The address of the instruction whose first operation is at `place`.
    @inline(__always) func address(of place: UnsafeMutablePointer<Op>) -> UInt32 {
        pointee.codeBase &+ UInt32(truncatingIfNeeded: (Int(bitPattern: place) &- pointee.opsBase) >> 2)
    }

    @inline(__always) func note(from: UnsafeMutablePointer<Op>, to: Int) {
        let index = pointee.traceIndex & (CoreState.traceLength - 1)
        pointee.trace[index &* 2] = Int(bitPattern: from)
        pointee.trace[index &* 2 &+ 1] = to
        pointee.traceIndex &+= 1
    }
}
