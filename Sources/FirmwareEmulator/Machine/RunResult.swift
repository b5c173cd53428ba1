/// Why ``Machine/run(untilCycle:)`` came back.
public enum RunResult {
    /// The cycle that was asked for is reached; firmware has more to do.
    case sliceOver
    /// The cycle is reached and firmware waits (WFI, WFE or a recognised idle loop): nothing happens before the next
    /// event of the clock or an input from outside.
    case sleeping
    /// The CPU cannot go on. Only ``Machine/reset()`` helps.
    case fault(FaultReport)
    /// A debugger's breakpoint, or BKPT executed with ``Machine/haltsOnBKPT``; the program counter is at it.
    case breakpoint(address: UInt32)
    /// A debugger's watchpoint was touched by the instruction before the present one.
    case watchpoint(address: UInt32, isWrite: Bool)
    /// Firmware asked for a system reset (AIRCR.SYSRESETREQ) or a peripheral did; call ``Machine/reset()`` to do it.
    case resetRequested
    /// ``Machine/stop()`` was called.
    case stopped
}
