/// What stopped the CPU for good, for an engineer to read.
public struct FaultReport: Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, in words: `jump to 0x00000000, which holds no code`.
    public var reason: String
    /// r0…r15; r15 is the address of the instruction at fault.
    public var registers: [UInt32]
    public var xpsr: UInt32
    public var mainStackPointer: UInt32
    public var processStackPointer: UInt32
    /// Address of the instruction that could not be executed.
    public var programCounter: UInt32 { registers.count > 15 ? registers[15] : 0 }
    /// `main+0x12`, where symbols are known.
    public var location: String?
    /// The first fault when a second one followed in its handler.
    public var earlier: String?
    /// The last calls, returns, computed jumps and exceptions, newest first.
    public var lastBranches: [Branch]

    /// One jump that the CPU made.
    public struct Branch: Sendable, Equatable {
        /// Nil for a jump out of nowhere.
        public var from: UInt32?
        public var to: UInt32
        public var location: String?
    }

    public var description: String {
        var lines = ["\(reason) at \(hex(programCounter))\(location.map { " (\($0))" } ?? "")"]
        if let earlier { lines.append("after: \(earlier)") }
        for row in stride(from: 0, to: min(registers.count, 16), by: 4) {
            let cells = (row..<min(row + 4, registers.count)).map { index in
                let name = index == 13 ? "sp" : index == 14 ? "lr" : index == 15 ? "pc" : "r\(index)"
                return "\(name)=\(hex(registers[index]))"
            }
            lines.append(cells.joined(separator: " "))
        }
        lines.append("xpsr=\(hex(xpsr)) msp=\(hex(mainStackPointer)) psp=\(hex(processStackPointer))")
        for branch in lastBranches {
            lines.append(
                "\(branch.from.map(hex) ?? "nowhere") -> \(hex(branch.to))\(branch.location.map { " (\($0))" } ?? "")")
        }
        return lines.joined(separator: "\n")
    }
}

/// `0x0800012c`.
func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
