import Testing

@testable import FirmwareEmulator

/// The PIO of the RP2040 through its registers, with programs as the datasheet's chapter 3.4 encodes them.
@Suite struct ProgrammableIOTests {
    private static let base: UInt32 = 0x5020_0000
    private let microcontroller: Microcontroller
    private var memory: MemoryMap { microcontroller.machine.memory }

    init() throws {
        microcontroller = try Microcontroller(board: try #require(Board.named("pico")), image: nil)
        microcontroller.reset()
    }

    private func write(_ offset: UInt32, _ value: UInt32) {
        memory.write(Self.base + offset, width: .word, value: value)
    }

    private func read(_ offset: UInt32) -> UInt32 { memory.read(Self.base + offset, width: .word) ?? 0xDEAD_BEEF }
    private func pass(_ cycles: UInt64) { microcontroller.machine.clock.settled &+= cycles }

    private func load(_ program: [UInt32], at start: Int = 0) {
        for (index, word) in program.enumerated() { write(0x48 + UInt32(start + index) * 4, word) }
    }

    @Test func wordsGoThroughBothQueues() {
        // pull block; mov isr, ~osr; push block; and round.
        load([0x80A0, 0xA0CF, 0x8020])
        write(0xCC, 2 << 12)
        write(0x00, 1)
        pass(100)
        #expect(read(0x04) == 0x0F00_0F00)
        #expect(read(0x08) == 1 << 24)
        // One is taken at once, four wait, the sixth does not fit.
        for value in 1...6 as ClosedRange<UInt32> { write(0x10, value) }
        #expect(read(0x0C) == 4)
        #expect(read(0x08) & 1 << 16 != 0)
        pass(100)
        // Four results wait, the fifth is in the machine.
        #expect(read(0x0C) == 0x40)
        #expect(read(0x04) == 0x0F00_0E01)
        for value in 1...5 as ClosedRange<UInt32> {
            #expect(read(0x20) == ~value)
            pass(100)
        }
        #expect(read(0x20) == 0)
        #expect(read(0x08) & 1 << 8 != 0)
    }

    @Test func aProgramTakesItsTime() {
        // set x, 3; jmp x-- itself [1]; irq 0; jmp itself: at half the clock.
        load([0xE023, 0x0141, 0xC000, 0x0003])
        write(0xC8, 2 << 16)
        write(0x12C, 1 << 8)
        write(0x00, 1)
        // 1 + 4 * 2 instructions are over after 18 cycles.
        pass(17)
        #expect(read(0x30) == 0)
        pass(1)
        #expect(read(0x30) == 1)
        #expect(read(0x134) == 1 << 8)
        write(0x30, 1)
        #expect(read(0x134) == 0)
        #expect(read(0xD4) == 3)
    }

    @Test func bitsAreShiftedPulledAndPushedByThemselves() {
        // out x, 8; in x, 8: both to the right, pulled at 32 and pushed at 16 bits.
        load([0x6028, 0x4028])
        write(0xCC, 1 << 12)
        write(0xD0, 16 << 20 | 1 << 19 | 1 << 18 | 1 << 17 | 1 << 16)
        write(0x10, 0x4433_2211)
        write(0x00, 1)
        pass(50)
        #expect(read(0x0C) == 0x20)
        #expect(read(0x20) == 0x2211_0000)
        #expect(read(0x20) == 0x4433_0000)
    }

    @Test func pinsAreDrivenSetAsideAndSeen() {
        let gpio: UInt32 = 0x4001_4000
        // GPIO2 and GPIO3 belong to PIO0.
        for pin in [2, 3] as [UInt32] { memory.write(gpio + pin * 8 + 4, width: .word, value: 6) }
        // set pindirs, 3; set pins, 1 side 1; wait 0 gpio 2; mov isr, pins; push; jmp itself.
        load([0xE083, 0xF001, 0x2002, 0xA0C0, 0x8020, 0x0005])
        // SET from GPIO2, two pins; one side-set pin, GPIO3, in the highest of the five bits; IN from GPIO2.
        write(0xDC, 1 << 29 | 2 << 26 | 2 << 15 | 3 << 10 | 2 << 5)
        write(0x00, 1)
        pass(50)
        #expect(read(0x40) == 0xC)
        // The side-set wins at GPIO3, and the next instruction's puts it to 0 again.
        #expect(read(0x3C) == 0x4)
        #expect(memory.read(0xD000_0004, width: .word).map { $0 & 0xC } == 0x4)
        #expect(read(0xD4) == 2)
        // An instruction by hand ends the wait.
        write(0xD8, 0xE000)
        pass(50)
        #expect(read(0x3C) == 0)
        #expect(read(0x20) & 3 == 0)
    }

    @Test func flagsHoldMachinesUpAndLetThemGo() {
        // Machine 0: irq wait 1; set y, 5; mov isr, y; push. Machine 1 from 8: wait 1 irq 1; irq clear 1.
        load([0xC021, 0xE045, 0xA0C2, 0x8020, 0x0004])
        load([0x20C1, 0xC041], at: 8)
        write(0xE4, 9 << 12 | 8 << 7)
        write(0xF0, 8)
        write(0x00, 1)
        pass(20)
        #expect(read(0x30) == 2)
        #expect(read(0x0C) == 0)
        write(0x00, 3)
        pass(20)
        #expect(read(0x30) == 0)
        #expect(read(0x0C) & 0xFF == 0x10)
        #expect(read(0x20) == 5)
    }

    @Test func whatNeverEndsIsLeftOut() {
        // jmp itself, and DMA or an interrupt nobody has asked for.
        load([0x0000])
        write(0x00, 0xF)
        pass(1 << 40)
        #expect(read(0xD4) == 0)
        #expect(read(0x00) == 0xF)
    }
}
