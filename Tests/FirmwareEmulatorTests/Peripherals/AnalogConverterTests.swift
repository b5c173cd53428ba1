import Testing

@testable import FirmwareEmulator

/// Conversions last what the reference manuals say, and a loop that waits for one is skipped to its end.
@Suite struct AnalogConverterTests {
    private static let adc: UInt32 = 0x4001_2400

    /// Waits for bit 2 (F0) or bit 1 (F1) of the converter's status register, then stays where it is.
    private static func waiting(for bit: Int) -> FirmwareImage {
        var words = [UInt32](repeating: 0, count: 16)
        words[0] = 0x2000_1000
        words[1] = 0x0800_0041
        let shift = UInt32(31 - bit)
        let code: [UInt32] = [
            0x4802 | 0x6801 << 16,  // ldr r0, =ADC; ldr r1, [r0]
            0x0009 | shift << 6 | 0xD5FC << 16,  // lsls r1, r1, #shift; bpl the load
            0xE7FE,  // b .
            adc,
        ]
        let bytes = (words + code).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        return FirmwareImage(format: .binary, segments: [.init(address: 0x0800_0000, bytes: bytes)])
    }

    private static func board(_ name: String, bit: Int) throws -> Microcontroller {
        let microcontroller = try Microcontroller(board: try #require(Board.named(name)), image: waiting(for: bit))
        microcontroller.powerOn()
        return microcontroller
    }

    /// The cycles until the firmware has seen its bit.
    private static func cyclesUntilSeen(_ machine: Machine) -> UInt64 {
        let start = machine.clock.now
        while machine.programCounter != 0x0800_0048, machine.clock.now < start + 1_000_000 {
            _ = machine.run(untilCycle: machine.clock.now + 8)
        }
        return machine.clock.now - start
    }

    /// 8 MHz HSI: with PCLK / 4, the ADC clock is 2 MHz.
    @Test(arguments: [(0, 0, 56), (7, 0, 1008), (1, 3, 60)] as [(UInt32, UInt32, UInt64)])
    func f0ConversionTakesSamplingAndConversionTime(sampling: UInt32, resolution: UInt32, cycles: UInt64) throws {
        let microcontroller = try Self.board("stm32f072", bit: 2)
        let memory = microcontroller.machine.memory
        memory.write(Self.adc + 0x10, width: .word, value: 2 << 30)
        memory.write(Self.adc + 0x14, width: .word, value: sampling)
        memory.write(Self.adc + 0x0C, width: .word, value: resolution << 3)
        memory.write(Self.adc + 0x28, width: .word, value: 1 << 5)
        memory.write(Self.adc + 0x08, width: .word, value: 1)
        memory.write(Self.adc + 0x08, width: .word, value: 1 << 2)
        #expect(memory.read(Self.adc, width: .word) == 1)
        let seen = Self.cyclesUntilSeen(microcontroller.machine)
        #expect(seen >= cycles && seen < cycles + 24)
        #expect(memory.read(Self.adc, width: .word) == 0xF)
        #expect(memory.read(Self.adc + 0x08, width: .word) == 1)
        let value = try #require(memory.read(Self.adc + 0x40, width: .word))
        #expect(value >> (12 - resolution * 2) == 0 && value > 0)
        #expect(memory.read(Self.adc, width: .word) == 0xB)
    }

    @Test func f1ConversionDependsOnChannelAndPrescaler() throws {
        for (prescaler, cycles) in [(0, 504), (3, 2016)] as [(UInt32, UInt64)] {
            let microcontroller = try Self.board("stm32f103", bit: 1)
            let memory = microcontroller.machine.memory
            memory.write(0x4002_1004, width: .word, value: prescaler << 14)
            memory.write(Self.adc + 0x10, width: .word, value: 7 << 9)
            memory.write(Self.adc + 0x34, width: .word, value: 3)
            memory.write(Self.adc + 0x08, width: .word, value: 1)
            memory.write(Self.adc + 0x08, width: .word, value: 1)
            let seen = Self.cyclesUntilSeen(microcontroller.machine)
            #expect(seen >= cycles && seen < cycles + 24)
            #expect(memory.read(Self.adc + 0x4C, width: .word).map { $0 > 0 } == true)
            #expect(memory.read(Self.adc, width: .word) == 0x10)
        }
    }

    /// Three injected channels, the first in JSQ2: results less their offsets, in order, at once.
    @Test(arguments: [("stm32f103", 0x4001_2400, 21), ("stm32f407", 0x4001_2000, 22)] as [(String, UInt32, UInt32)])
    func injectedGroupIsConverted(board: String, base: UInt32, start: UInt32) throws {
        let microcontroller = try Microcontroller(board: try #require(Board.named(board)), image: nil)
        microcontroller.reset()
        defer { withExtendedLifetime(microcontroller) {} }
        let memory = microcontroller.machine.memory
        memory.write(base + 0x38, width: .word, value: 2 << 20 | 3 << 15 | 2 << 10 | 1 << 5)
        memory.write(base + 0x18, width: .word, value: 0xFFF)
        memory.write(base + 0x08, width: .word, value: 1)
        memory.write(base + 0x08, width: .word, value: 1 | 1 << start)
        #expect(memory.read(base, width: .word) == 0xC)
        #expect(memory.read(base + 0x08, width: .word) == 1)
        let results = (0..<4).map { memory.read(base + 0x3C + UInt32($0) * 4, width: .word) ?? 0 }
        #expect((1...0xFFF).contains(results[0]) && results[2] <= 0xFFF && results[3] == 0)
        // Below its offset a result is negative.
        #expect(results[1] == 0 || results[1] & 0xF000 == 0xF000)
    }

    @Test func loopThatWaitsForAConversionIsSkipped() throws {
        let microcontroller = try Self.board("stm32f072", bit: 2)
        let machine = microcontroller.machine
        let memory = machine.memory
        microcontroller.isUnwatched = true
        memory.write(Self.adc + 0x28, width: .word, value: 1)
        memory.write(Self.adc + 0x08, width: .word, value: 1)
        memory.write(Self.adc + 0x08, width: .word, value: 1 << 2)
        // A millisecond of 8 MHz, of which little was executed.
        let start = machine.clock.now
        _ = machine.run(untilCycle: start + 7900)
        #expect(machine.programCounter != 0x0800_0048)
        _ = machine.run(untilCycle: start + 8200)
        #expect(machine.programCounter == 0x0800_0048)
        #expect(machine.skippedCycles > 7000)
    }

    /// A sequence of two channels by DMA, again and again: results in order, no overrun.
    @Test func dmaTakesASequence() throws {
        let microcontroller = try Self.board("stm32f072", bit: 3)
        let memory = microcontroller.machine.memory
        let channel: UInt32 = 0x4002_0008
        memory.write(channel + 4, width: .word, value: 4)
        memory.write(channel + 8, width: .word, value: Self.adc + 0x40)
        memory.write(channel + 12, width: .word, value: 0x2000_0100)
        memory.write(channel, width: .word, value: 0x581)
        memory.write(Self.adc + 0x0C, width: .word, value: 0x2001)
        memory.write(Self.adc + 0x28, width: .word, value: 0b11)
        memory.write(Self.adc + 0x08, width: .word, value: 1)
        memory.write(Self.adc + 0x08, width: .word, value: 1 << 2)
        _ = microcontroller.machine.run(untilCycle: microcontroller.machine.clock.now + 40)
        #expect(memory.read(channel + 4, width: .word) == 0)
        #expect(memory.bytes(at: 0x2000_0100, count: 8).filter { $0 != 0 }.count >= 4)
        #expect(memory.read(0x4002_0000, width: .word).map { $0 & 2 } == 2)
    }
}
