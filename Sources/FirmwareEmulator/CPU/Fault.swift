/// Why an instruction could not be executed, or what it asks the exception model for.
enum Fault {
    case undefined
    /// A jump without the Thumb bit, or a bad exception return.
    case invalidState
    case invalidReturn(String)
    /// A floating-point instruction without, or with a disabled, FPU.
    case noCoprocessor
    case unaligned
    case divisionByZero
    case bus(UInt32, isWrite: Bool)
    /// No code can be at this address.
    case fetch(UInt32)
    case breakpoint
    case supervisorCall

    var reason: String {
        switch self {
        case .undefined: "undefined instruction"
        case .invalidState: "jump to an address without the Thumb bit"
        case .invalidReturn(let value): "bad exception return \(value)"
        case .noCoprocessor: "floating-point instruction without an enabled FPU"
        case .unaligned: "unaligned access"
        case .divisionByZero: "division by zero"
        case .bus(let address, let isWrite): "\(isWrite ? "write to" : "read from") \(hex(address)), which is refused"
        case .fetch(let address): "jump to \(hex(address)), which holds no code"
        case .breakpoint: "BKPT without a debugger"
        case .supervisorCall: "SVC where its handler cannot run"
        }
    }
}
