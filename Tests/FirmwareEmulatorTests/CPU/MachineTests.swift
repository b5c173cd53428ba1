import FirmwareEmulator
import Testing

/// A register block that answers with what it was told.
private final class Register: Peripheral {
    let name = "STATUS"
    let base: UInt32 = 0x4000_0000
    let size: UInt32 = 0x400
    var value: UInt32 = 0
    private(set) var written: [UInt32] = []

    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { value }
    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) { written.append(value) }
    func reset() {}
}

@Suite("The machine around the CPU")
struct MachineTests {
    /// A machine whose code starts at 0x100, with every vector at 0x80.
    private func machine(_ code: [UInt16], handler: [UInt16] = [0xBE01], _ model: CoreModel = .cortexM3) -> Machine {
        let machine = Machine(model: model, hertz: 48_000_000)
        let flash = machine.memory.addFlash(at: 0, size: 0x1000)
        machine.memory.addRAM(at: 0x2000_0000, size: 0x1000)
        flash.write(words([0x2000_1000, 0x101] + [UInt32](repeating: 0x81, count: 30)), at: 0)
        flash.write(halfwords(handler), at: 0x80)
        flash.write(halfwords(code), at: 0x100)
        machine.haltsOnBKPT = true
        machine.reset()
        return machine
    }

    private func halfwords(_ values: [UInt16]) -> [UInt8] {
        values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }

    private func words(_ values: [UInt32]) -> [UInt8] {
        halfwords(values.flatMap { [UInt16(truncatingIfNeeded: $0), UInt16(truncatingIfNeeded: $0 >> 16)] })
    }

    @Test func waitForInterruptSleepsUntilTheEvent() {
        // wfi; b .-2
        let machine = machine([0xBF30, 0xE7FD])
        guard case .sleeping = machine.run(untilCycle: 100_000) else {
            Issue.record("not asleep")
            return
        }
        #expect(machine.activity == .sleeping)
        #expect(machine.skippedCycles > 99_000)
    }

    @Test func aLoopThatOnlyWaitsIsSkippedToTheEventThatEndsIt() {
        // movs r1, #1; lsls r1, #29; loop: ldr r0, [r1]; cmp r0, #0; beq loop; bkpt 7
        let machine = machine([0x2101, 0x0749, 0x6808, 0x2800, 0xD0FC, 0xBE07])
        let event = machine.clock.event("input") { [unowned machine] in
            _ = machine.memory.write([1], at: 0x2000_0000)
        }
        event.schedule(at: 5_000_000)
        guard case .sleeping = machine.run(untilCycle: 4_000_000) else {
            Issue.record("not recognised as idle")
            return
        }
        #expect(machine.skippedCycles > 3_990_000)
        guard case .breakpoint(let address) = machine.run(untilCycle: 6_000_000) else {
            Issue.record("the loop went on")
            return
        }
        #expect(address == 0x10A)
        #expect(machine.clock.now >= 5_000_000)
        #expect(machine.clock.now < 5_000_100)
    }

    @Test func aLoopThatPushesAndPopsIsIdleToo() {
        // loop: push {r0, lr}; pop {r0, r1}; bl sub; bl sub2; b loop — what the calls leave on the stack differs inside
        // sub: push {lr}; pop {pc}
        let machine = machine([0xF000, 0xF803, 0xF000, 0xF801, 0xE7FA, 0xB500, 0xBD00])
        guard case .sleeping = machine.run(untilCycle: 1_000_000) else {
            Issue.record("not recognised as idle")
            return
        }
        #expect(machine.skippedCycles > 900_000)
    }

    @Test func aLoopThatCountsIsNotSkipped() {
        // movs r1, #1; lsls r1, #29; loop: ldr r0, [r1]; adds r0, #1; str r0, [r1]; b loop
        let machine = machine([0x2101, 0x0749, 0x6808, 0x3001, 0x6008, 0xE7FB])
        guard case .sliceOver = machine.run(untilCycle: 400_000) else {
            Issue.record("taken for idle")
            return
        }
        #expect(machine.skippedCycles == 0)
        #expect(machine.register(0) > 99_000)
    }

    @Test func aFaultInTheFaultHandlerIsReported() {
        // ldr r0, =0x60000001; bx r0 — the handler is undefined
        let machine = machine([0x4800, 0x4700, 0x0001, 0x6000], handler: [0xDE00])
        guard case .fault(let report) = machine.run(untilCycle: 10_000) else {
            Issue.record("no fault")
            return
        }
        #expect(report.reason == "undefined instruction")
        #expect(report.earlier == "jump to 0x60000000, which holds no code")
        #expect(report.programCounter == 0x80)
        #expect(report.lastBranches.contains { $0.to == 0x80 })
        #expect(machine.activity == .faulted)
    }

    @Test func aStackThatIsNowhereIsReported() {
        // movs r0, #0; msr msp, r0; udf
        let machine = machine([0x2000, 0xF380, 0x8808, 0xDE00])
        guard case .fault(let report) = machine.run(untilCycle: 10_000) else {
            Issue.record("no fault")
            return
        }
        #expect(report.reason.contains("exception frame"))
    }

    @Test func aPolledRegisterIsNamedOnce() {
        // movs r1, #1; lsls r1, #30; loop: ldr r0, [r1]; b loop
        let machine = machine([0x2101, 0x0789, 0x6808, 0xE7FD])
        let register = Register()
        machine.memory.add(register)
        machine.skipsIdleLoops = false
        var said: [Diagnostic] = []
        machine.onDiagnostic = { said.append($0) }
        _ = machine.run(untilCycle: 100_000)
        #expect(
            said == [
                .polling(register: "STATUS", address: 0x4000_0000, value: 0, programCounter: 0x104, location: nil)
            ])
    }

    @Test func bitBandWritesOneBit() {
        // ldr r1, =0x22000008; movs r0, #1; str r0, [r1]; ldr r2, [r1]; bkpt
        let machine = machine([0x4902, 0x2001, 0x6008, 0x680A, 0xBE00, 0x0000, 0x0008, 0x2200])
        _ = machine.run(untilCycle: 1000)
        #expect(machine.memory.read(0x2000_0000, width: .word) == 4)
        #expect(machine.register(2) == 1)
    }

    @Test func codeThatIsProgrammedAnewIsExecutedAnew() {
        // loop: movs r0, #1; adds r1, r1, r0; b loop
        let machine = machine([0x2001, 0x1809, 0xE7FC])
        machine.skipsIdleLoops = false
        _ = machine.run(untilCycle: 300)
        let before = machine.register(1)
        #expect(before > 50)
        _ = machine.memory.write(halfwords([0x2000]), at: 0x100)
        _ = machine.run(untilCycle: 600)
        #expect(machine.register(1) - before <= 1)
    }

    @Test func codeInRAMCanRewriteItself() {
        // RAM: movs r0, #5; bx lr — called, its constant changed to 9 by a store, called again
        // ldr r1, =0x20000000; ldr r2, =0x47702005; str r2, [r1]; adds r3, r1, #1; blx r3; mov r4, r0;
        // movs r2, #9; strb r2, [r1]; blx r3; bkpt
        let machine = machine([
            0x4905, 0x4A06, 0x600A, 0x1C4B, 0x4798, 0x4604, 0x2209, 0x700A, 0x4798, 0xBE00, 0x0000, 0x0000, 0x0000,
            0x2000, 0x2005, 0x4770,
        ])
        _ = machine.run(untilCycle: 1000)
        #expect(machine.register(4) == 5)
        #expect(machine.register(0) == 9)
    }

    @Test func sysTickInterruptsAtItsPeriod() {
        // SysTick: LOAD = 999, CTRL = 7; loop: b loop. Handler: adds r7, #1; bx lr
        let machine = machine(
            [0x4803, 0x4904, 0x6041, 0x2107, 0x6001, 0xE7FE, 0xBF00, 0xBF00, 0xE010, 0xE000, 0x03E7, 0x0000],
            handler: [0x3701, 0x4770])
        _ = machine.run(untilCycle: 100_500)
        #expect(machine.register(7) == 100)
    }

    @Test func aLevelInterruptComesAgainWhileItsLineIsHigh() {
        // NVIC_ISER = 1; loop: b loop. Handler: adds r7, #1; bx lr
        let machine = machine([0x4801, 0x2101, 0x6001, 0xE7FE, 0xE100, 0xE000], handler: [0x3701, 0x4770])
        _ = machine.run(untilCycle: 100)
        #expect(machine.register(7) == 0)
        machine.interrupts.setLine(0, true)
        _ = machine.run(untilCycle: 200)
        #expect(machine.register(7) > 5)
        machine.interrupts.setLine(0, false)
        _ = machine.run(untilCycle: 210)
        let count = machine.register(7)
        _ = machine.run(untilCycle: 400)
        #expect(machine.register(7) == count)
    }

    @Test func unalignedAccessFaultsOnM0AndWorksOnM3() {
        // movs r1, #1; lsls r1, #29; adds r1, #1; ldr r0, [r1]; bkpt 0
        let code: [UInt16] = [0x2101, 0x0749, 0x3101, 0x6808, 0xBE00]
        let small = machine(code, .cortexM0)
        var faults: [FaultReport] = []
        small.onDiagnostic = { if case .fault(let report) = $0 { faults.append(report) } }
        guard case .breakpoint(0x80) = small.run(untilCycle: 1000) else {
            Issue.record("no HardFault on Cortex-M0")
            return
        }
        #expect(faults.map(\.reason) == ["unaligned access"])
        #expect(faults.map(\.programCounter) == [0x106])
        let large = machine(code)
        guard case .breakpoint(0x108) = large.run(untilCycle: 1000) else {
            Issue.record("a fault on Cortex-M3")
            return
        }
    }

    @Test(.timeLimit(.minutes(1))) func aHandlerThatOnlyReturnsDoesNotStopTime() {
        // NVIC_ISER = 1; loop: b loop. Handler: bx lr
        let machine = machine([0x4801, 0x2101, 0x6001, 0xE7FE, 0xE100, 0xE000], handler: [0x4770])
        machine.interrupts.setLine(0, true)
        guard case .sliceOver = machine.run(untilCycle: 100_000) else {
            Issue.record("the interrupt comes again for ever")
            return
        }
    }

    @Test(.timeLimit(.minutes(1))) func aHandlerThatReturnsToTheFaultForEverIsToldOfOnce() {
        // movs r1, #1; lsls r1, #29; adds r1, #1; ldr r0, [r1]. Handler: bx lr
        let machine = machine([0x2101, 0x0749, 0x3101, 0x6808], handler: [0x4770], .cortexM0)
        var count = 0
        machine.onDiagnostic = { _ in count += 1 }
        _ = machine.run(untilCycle: 1_000_000)
        #expect(count == 1)
        // Told again when an operator has reset the chip, not when firmware has.
        machine.reset()
        _ = machine.run(untilCycle: 2_000_000)
        #expect(count == 1)
        machine.forgetReports()
        _ = machine.run(untilCycle: 3_000_000)
        #expect(count == 2)
    }

    @Test func debuggerStopsAndSteps() {
        let machine = machine([0x2001, 0x2002, 0x2003, 0xE7FB])
        machine.setBreakpoint(at: 0x104, true)
        guard case .breakpoint(0x104) = machine.run(untilCycle: 1000) else {
            Issue.record("not stopped")
            return
        }
        #expect(machine.register(0) == 2)
        _ = machine.step()
        #expect(machine.register(0) == 3)
        #expect(machine.programCounter == 0x106)
        guard case .breakpoint(0x104) = machine.run(untilCycle: 1000) else {
            Issue.record("not stopped again")
            return
        }
    }
}
