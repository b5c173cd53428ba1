import Testing

@testable import FirmwareEmulator

/// What firmware does to flash and option bytes, through the registers of its chip.
@Suite struct FlashTests {
    private static func memory(_ board: String) throws -> (Microcontroller, MemoryMap) {
        let microcontroller = try Microcontroller(board: try #require(Board.named(board)), image: nil)
        microcontroller.reset()
        return (microcontroller, microcontroller.machine.memory)
    }

    private static let keys: [UInt32] = [0x4567_0123, 0xCDEF_89AB]

    // MARK: Option bytes

    private static let option: UInt32 = 0x1FFF_F800

    @Test(
        arguments: [("stm32f103", 0xA5, 0x03FF_FFFC), ("stm32f072", 0xAA, 0xFFFF_FF00)] as [(String, UInt32, UInt32)]
    ) func optionBytesAreErasedProgrammedAndShownAfterTheNextReset(board: String, key: UInt32, register: UInt32) throws
    {
        let (microcontroller, memory) = try Self.memory(board)
        let base: UInt32 = 0x4002_2000
        #expect(memory.read(Self.option, width: .half) == key | (~key & 0xFF) << 8)
        #expect(memory.read(base + 0x1C, width: .word) == register)
        // Without the keys nothing happens, and the chip says so.
        memory.write(Self.option, width: .half, value: 0)
        #expect(memory.read(base + 0x0C, width: .word) == 1 << 4)
        #expect(memory.read(Self.option, width: .byte) == key)

        for value in Self.keys { memory.write(base + 0x04, width: .word, value: value) }
        for value in Self.keys { memory.write(base + 0x08, width: .word, value: value) }
        memory.write(base + 0x10, width: .word, value: 1 << 9 | 1 << 5)
        memory.write(base + 0x10, width: .word, value: 1 << 9 | 1 << 5 | 1 << 6)
        #expect(memory.read(Self.option, width: .word) == 0xFFFF_FFFF)
        memory.write(base + 0x10, width: .word, value: 1 << 9 | 1 << 4)
        memory.write(Self.option, width: .half, value: 0x1200)
        memory.write(Self.option + 4, width: .half, value: 0x34)
        #expect(memory.read(Self.option, width: .half) == 0xFF00)
        #expect(memory.read(Self.option + 4, width: .half) == 0xCB34)
        // What is not erased is not programmed.
        memory.write(Self.option, width: .half, value: 0x11)
        #expect(memory.read(base + 0x0C, width: .word).map { $0 & 4 } == 4)
        #expect(memory.read(base + 0x1C, width: .word) == register)

        microcontroller.reset()
        let shown = try #require(memory.read(base + 0x1C, width: .word))
        #expect(shown & 2 == 2)
        #expect(shown >> (board == "stm32f103" ? 10 : 16) & 0xFF == 0x34)
        #expect(memory.read(base + 0x20, width: .word) == 0xFFFF_FFFF)
    }

    @Test func optionLoadResetsTheChip() throws {
        let (microcontroller, memory) = try Self.memory("stm32f072")
        // b . at 0x08000008
        microcontroller.flash.write([0, 0x10, 0, 0x20, 9, 0, 0, 8, 0xFE, 0xE7], at: 0)
        microcontroller.reset()
        for value in Self.keys { memory.write(0x4002_2004, width: .word, value: value) }
        memory.write(0x4002_2010, width: .word, value: 1 << 13)
        #expect(microcontroller.run(untilCycle: microcontroller.machine.clock.now + 100).isReset)
    }

    // MARK: F4

    @Test func f4ErasesSectorsAndProgramsInTheWidthItWasTold() throws {
        let (microcontroller, memory) = try Self.memory("stm32f407")
        defer { withExtendedLifetime(microcontroller) {} }
        let base: UInt32 = 0x4002_3C00, place: UInt32 = 0x0804_0010
        memory.write(place, width: .word, value: 0)
        #expect(memory.read(place, width: .word) == 0xFFFF_FFFF)
        #expect(memory.read(base + 0x0C, width: .word) == 1 << 7)
        memory.write(base + 0x0C, width: .word, value: 1 << 7)

        for value in Self.keys { memory.write(base + 0x04, width: .word, value: value) }
        memory.write(base + 0x10, width: .word, value: 2 << 8 | 1)
        memory.write(place, width: .word, value: 0x1234_5678)
        memory.write(place, width: .word, value: 0xFFFF_0F0F)
        // Bits are only cleared.
        #expect(memory.read(place, width: .word) == 0x1234_0608)
        memory.write(place + 4, width: .byte, value: 1)
        #expect(memory.read(base + 0x0C, width: .word) == 1 << 6)
        #expect(memory.read(place + 4, width: .byte) == 0xFF)

        // Sector 6 of 128 KiB begins at 0x08040000.
        memory.write(base + 0x10, width: .word, value: 1 << 16 | 5 << 3 | 2)
        #expect(memory.read(place, width: .word) == 0x1234_0608)
        memory.write(base + 0x10, width: .word, value: 1 << 16 | 6 << 3 | 2)
        #expect(memory.read(place, width: .word) == 0xFFFF_FFFF)
        memory.write(base + 0x10, width: .word, value: 1 << 16 | 13 << 3 | 2)
        #expect(memory.read(base + 0x0C, width: .word).map { $0 & 2 } == 2)
    }

    @Test func aWrongKeyLocksF4UntilReset() throws {
        let (microcontroller, memory) = try Self.memory("stm32f407")
        for value in [1] + Self.keys { memory.write(0x4002_3C04, width: .word, value: value) }
        #expect(memory.read(0x4002_3C10, width: .word) == 1 << 31)
        microcontroller.reset()
        for value in Self.keys { memory.write(0x4002_3C04, width: .word, value: value) }
        #expect(memory.read(0x4002_3C10, width: .word) == 0)
    }
}

extension RunResult {
    fileprivate var isReset: Bool { if case .resetRequested = self { true } else { false } }
}
