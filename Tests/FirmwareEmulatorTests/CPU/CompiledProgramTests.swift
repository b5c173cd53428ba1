import Testing

@Suite("Compiled programs print on our CPU what they print on QEMU")
struct CompiledProgramTests {
    @Test(arguments: CompiledProgram.Target.all)
    func arithmetic(target: CompiledProgram.Target) throws {
        for optimisation in ["-O0", "-Os", "-O3"] {
            let program = try CompiledProgram("arithmetic", for: target, optimisation: optimisation)
            let expected = try program.outputOnQEMU()
            #expect(expected.contains("longjmp 42"))
            #expect(try program.outputOnOurs() == expected)
            try program.removeFiles()
        }
    }

    @Test(arguments: CompiledProgram.Target.all)
    func exceptions(target: CompiledProgram.Target) throws {
        let program = try CompiledProgram("exceptions", for: target)
        let expected = try program.outputOnQEMU()
        #expect(expected.contains("29 "))
        #expect(try program.outputOnOurs() == expected)
        #expect(try program.outputOnOurs(isPrecise: true) == expected)
        try program.removeFiles()
    }
}
