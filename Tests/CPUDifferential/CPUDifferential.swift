import FirmwareEmulator
import UnicornPeer

/// Runs the same random code on our CPU and on Unicorn and compares registers, flags and memory.
public struct CPUDifferential {
    public enum Architecture: String, CaseIterable, Sendable {
        case v6M, v7M, v7EM
    }

    /// Where the two differ: the code, what it started with, what each made of it.
    public struct Difference: Error, CustomStringConvertible {
        public var description: String
    }

    public struct Result: Sendable {
        public var instructions = 0
        public var sequences = 0
        /// Sequences in which Unicorn is known to be wrong.
        public var excused = 0
    }

    private let architecture: Architecture
    private let unicorn: Unicorn
    private let machine: Machine
    private var generator: SequenceGenerator
    private var excused = 0
    private let code: UInt32 = 0x0800_0000, window: UInt32 = 0x2000_4000
    private let flash: MemoryRegion, ram: MemoryRegion

    public init(_ architecture: Architecture, seed: UInt64, library: String? = nil) throws {
        self.architecture = architecture
        let templates: [String]
        switch architecture {
        case .v6M:
            templates = InstructionTemplates.v6
            machine = Machine(model: .cortexM0, hertz: 48_000_000)
            unicorn = try Unicorn(library: library, model: .cortexM0)
        case .v7M:
            templates = InstructionTemplates.v6 + InstructionTemplates.v7
            machine = Machine(model: .cortexM3, hertz: 72_000_000)
            unicorn = try Unicorn(library: library, model: .cortexM3)
        case .v7EM:
            templates =
                InstructionTemplates.v6 + InstructionTemplates.v7 + InstructionTemplates.dsp
                + InstructionTemplates.float
            machine = Machine(model: .cortexM4F, hertz: 72_000_000)
            unicorn = try Unicorn(library: library, model: .cortexM4)
        }
        generator = SequenceGenerator(seed: seed, templates: templates, isV7: architecture != .v6M)
        flash = machine.memory.addFlash(at: code, size: 0x1_0000)
        ram = machine.memory.addRAM(at: 0x2000_0000, size: 0x1_0000)
        machine.memory.setAlias(at: 0, to: flash)
        flash.write([0x00, 0x80, 0x00, 0x20, 0x01, 0x01, 0x00, 0x08], at: 0)
        machine.haltsOnBKPT = true
        machine.skipsIdleLoops = false
        try unicorn.map(code, size: 0x1_0000)
        try unicorn.map(0x2000_0000, size: 0x1_0000)
        try unicorn.map(0xE000_E000, size: 0x1000)
        machine.reset()
    }

    /// Runs at least `count` instructions.
    public mutating func run(instructions count: Int) throws -> Result {
        var result = Result()
        while result.instructions < count {
            let (random, instructions) = generator.sequence(count: 48)
            // Unicorn keeps the GE flags of the sequence before; UADD8 sets them anew. VMSR FPSCR, r1 sets the mode, behind
            // what the first floating-point instruction does to FPSCR.
            let sequence = (architecture == .v7EM ? [0xFA80, 0xF040, 0xEEE1, 0x1A10] : []) + random
            let bytes = sequence.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
            flash.write(bytes + [0x00, 0xBE], at: 0x100)
            try unicorn.write(bytes + [0x00, 0xBE], at: code + 0x100)
            let end = code + 0x100 + UInt32(bytes.count)
            unicorn.forget(from: code + 0x100, to: end + 2)
            // The same code with several starting values: translation is what costs.
            for _ in 0..<4 {
                try compare(from: code + 0x100, to: end, sequence)
                result.instructions += instructions
                result.sequences += 1
            }
        }
        result.excused = excused
        return result
    }

    private mutating func value() -> UInt32 {
        let special: [UInt32] = [0, 1, 0xFFFF_FFFF, 0x8000_0000, 0x7FFF_FFFF, 0x8000, 0xFF, 0xFFFF, 31, 32, 33]
        if Int.random(in: 0..<3, using: &generator.random) == 0 {
            return special[Int.random(in: 0..<special.count, using: &generator.random)]
        }
        return UInt32.random(in: 0...UInt32.max, using: &generator.random)
    }

    private mutating func floatValue() -> UInt32 {
        let special: [UInt32] = [
            0, 0x8000_0000, 0x3F80_0000, 0xBF80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0001, 0x7F80_0001, 1,
            0x8000_0001,
            0x7F7F_FFFF, 0x0080_0000, 0x4F00_0000, 0xCF00_0001,
        ]
        switch Int.random(in: 0..<4, using: &generator.random) {
        case 0: return special[Int.random(in: 0..<special.count, using: &generator.random)]
        case 1: return Float(Int32.random(in: -70000...70000, using: &generator.random)).bitPattern
        default: return UInt32.random(in: 0...UInt32.max, using: &generator.random)
        }
    }

    private mutating func compare(from start: UInt32, to end: UInt32, _ sequence: [UInt16]) throws {
        var registers = (0..<15).map { _ in value() }
        registers[6] = UInt32.random(in: 0..<32, using: &generator.random) * 4
        registers[7] = window
        registers[8] = window + 0x1000
        registers[13] = 0x2000_8000
        let flags = UInt32.random(in: 0..<16, using: &generator.random) << 28
        var memory = [UInt8](repeating: 0, count: 0x3000)
        for index in stride(from: 0, to: memory.count, by: 8) {
            let word = generator.random.next()
            for byte in 0..<8 { memory[index + byte] = UInt8(truncatingIfNeeded: word >> UInt64(byte * 8)) }
        }
        let floats = architecture == .v7EM ? (0..<32).map { _ in floatValue() } : []
        // FPSCR: default NaN 25, flush to zero 24, rounding mode 23 and 22.
        if architecture == .v7EM {
            let modes: UInt32 = Self.hasFixedToFloat(sequence) ? 0b1100 : 0b1111
            registers[1] = (UInt32.random(in: 0..<16, using: &generator.random) & modes) << 22
        }

        ram.write(memory, at: window - 0x2000_0000 - 0x1000)
        try unicorn.write(memory, at: window - 0x1000)
        machine.reset()
        if architecture == .v7EM {
            machine.memory.write(0xE000_ED88, width: .word, value: 0xF0_0000)
            unicorn[.coprocessorAccess] = 0xF0_0000
            unicorn[.fpexc] = 1 << 30
            unicorn[.fpscr] = 0
            for index in 0..<32 {
                machine.setFloatRegister(index, floats[index])
                unicorn[.s0, Int32(index)] = floats[index]
            }
        }
        for index in 0..<15 {
            machine.setRegister(index, registers[index])
            let name: (Unicorn.Register, Int32) =
                index == 13 ? (.sp, 0) : index == 14 ? (.lr, 0) : (.r0, Int32(index))
            unicorn[name.0, name.1] = registers[index]
        }
        machine.xpsr = flags
        unicorn[.xpsr] = flags | 1 << 24
        machine.setRegister(15, start)
        let outcome = machine.run(untilCycle: machine.clock.now + 100_000)
        let code = unicorn.run(from: start, until: end)

        var lines: [String] = []
        if case .breakpoint(let address) = outcome, address == end {
        } else {
            lines.append("ours ended with \(outcome)")
        }
        if code != 0 { lines.append("unicorn ended with \(code) at \(hex(unicorn[.pc]))") }
        for index in 0..<15 {
            let theirs = index == 13 ? unicorn[.sp] : index == 14 ? unicorn[.lr] : unicorn[.r0, Int32(index)]
            let ours = machine.register(index)
            if ours != theirs { lines.append("r\(index): ours \(hex(ours)) theirs \(hex(theirs))") }
        }
        let mask: UInt32 = architecture == .v6M ? 0xF000_0000 : architecture == .v7M ? 0xF800_0000 : 0xF80F_0000
        let flagsThatDiffer = (machine.xpsr ^ unicorn[.xpsr]) & mask
        if flagsThatDiffer == 1 << 27, machine.xpsr & 1 << 27 == 0, Self.hasDualMultiplyAdd(sequence) {
            excused += 1
        } else if flagsThatDiffer != 0 {
            lines.append("xpsr: ours \(hex(machine.xpsr)) theirs \(hex(unicorn[.xpsr]))")
        }
        for index in floats.indices where machine.floatRegister(index) != unicorn[.s0, Int32(index)] {
            lines.append(
                "s\(index): ours \(hex(machine.floatRegister(index))) theirs \(hex(unicorn[.s0, Int32(index)]))")
        }
        if architecture == .v7EM, machine.floatStatus != unicorn[.fpscr] {
            lines.append("fpscr: ours \(hex(machine.floatStatus)) theirs \(hex(unicorn[.fpscr]))")
        }
        let ours = ram.read(at: window - 0x2000_0000 - 0x1000, count: memory.count)
        let theirs = try unicorn.read(window - 0x1000, count: memory.count)
        if ours != theirs, let index = ours.indices.first(where: { ours[$0] != theirs[$0] }) {
            lines.append(
                "memory at \(hex(window - 0x1000 + UInt32(index))): ours \(ours[index]) theirs \(theirs[index])")
        }
        guard !lines.isEmpty else { return }
        throw Difference(
            description: """
                \(architecture): \(lines.joined(separator: "; "))
                code: \(sequence.map { String($0, radix: 16) }.joined(separator: " "))
                from: \(registers.map(hex).joined(separator: " ")) flags \(hex(flags))
                floats: \(floats.map(hex).joined(separator: " "))
                """)
    }

    /// SMLAD sets Q when the whole sum overflows (ARMv7-M ARM, SMLAD); Unicorn 2.1 also when only the sum of the products
    /// does and the third number brings it back, as with 0x80008000 for all three.
    private static func hasDualMultiplyAdd(_ sequence: [UInt16]) -> Bool {
        zip(sequence, sequence.dropFirst()).contains { $0 & 0xFFF0 == 0xFB20 && $1 & 0xE0 == 0 && $1 >> 12 != 0xF }
    }

    /// VCVT from fixed point rounds to nearest in every mode (ARMv7-M ARM, FixedToFP with round_to_nearest); Unicorn 2.1
    /// takes the mode of FPSCR.
    private static func hasFixedToFloat(_ sequence: [UInt16]) -> Bool {
        zip(sequence, sequence.dropFirst()).contains { $0 & 0xFFBE == 0xEEBA && $1 & 0x0E50 == 0x0A40 }
    }

    private func hex(_ value: UInt32) -> String { String(value, radix: 16) }
}
