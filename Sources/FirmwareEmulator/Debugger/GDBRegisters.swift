/// The registers as GDB numbers them: r0…r15, xPSR, the special ones, and with an FPU d0…d15 and FPSCR.
enum GDBRegisters {
    private static let names =
        (0..<13).map { "r\($0)" } + [
            "sp", "lr", "pc", "xpsr", "msp", "psp", "primask", "basepri", "faultmask", "control",
        ]
    private static let firstDouble = 23, status = 39

    static func count(_ machine: Machine) -> Int { machine.model.hasFPU ? status + 1 : firstDouble }

    /// Bytes of a register.
    static func size(_ number: Int) -> Int { number >= firstDouble && number < status ? 8 : 4 }

    static func read(_ number: Int, _ machine: Machine) -> String {
        switch number {
        case 0...15: GDBHex.text(machine.register(number))
        case 16: GDBHex.text(machine.xpsr)
        case 17: GDBHex.text(machine.mainStackPointer)
        case 18: GDBHex.text(machine.processStackPointer)
        case 19: GDBHex.text(machine.primask)
        case 20: GDBHex.text(machine.basepri)
        case 21: GDBHex.text(machine.faultmask)
        case 22: GDBHex.text(machine.control)
        case firstDouble..<status:
            GDBHex.text(machine.floatRegister((number - firstDouble) * 2))
                + GDBHex.text(machine.floatRegister((number - firstDouble) * 2 + 1))
        default: GDBHex.text(machine.floatStatus)
        }
    }

    /// False when there is no such register or it cannot be written.
    static func write(_ number: Int, _ bytes: [UInt8], _ machine: Machine) -> Bool {
        guard number >= 0, number < count(machine), bytes.count == size(number) else { return false }
        let value = bytes.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        switch number {
        case 0...15: machine.setRegister(number, value)
        case 16: machine.xpsr = value
        case 17: machine.mainStackPointer = value
        case 18: machine.processStackPointer = value
        case 19: machine.primask = value & 1
        case 20: machine.basepri = value & 0xFF
        case 21: machine.faultmask = value & 1
        // Which stack is in use changes by instructions only.
        case 22: return value == machine.control
        case firstDouble..<status:
            machine.setFloatRegister((number - firstDouble) * 2, value)
            machine.setFloatRegister(
                (number - firstDouble) * 2 + 1, bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        default: machine.floatStatus = value
        }
        return true
    }

    /// target.xml
    static func description(_ machine: Machine) -> String {
        var text = """
            <?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>arm\
            </architecture><feature name="org.gnu.gdb.arm.m-profile">
            """
        for (number, name) in names.enumerated() {
            if number == 17 { text += "</feature><feature name=\"org.gnu.gdb.arm.m-system\">" }
            let type = name == "sp" || name == "msp" || name == "psp" ? "data_ptr" : name == "pc" ? "code_ptr" : "int"
            text += "<reg name=\"\(name)\" bitsize=\"32\" regnum=\"\(number)\" type=\"\(type)\"/>"
        }
        if machine.model.hasFPU {
            text += "</feature><feature name=\"org.gnu.gdb.arm.vfp\">"
            for index in 0..<16 {
                text +=
                    "<reg name=\"d\(index)\" bitsize=\"64\" regnum=\"\(firstDouble + index)\" type=\"ieee_double\"/>"
            }
            text += "<reg name=\"fpscr\" bitsize=\"32\" regnum=\"\(status)\" type=\"int\"/>"
        }
        return text + "</feature></target>"
    }
}
