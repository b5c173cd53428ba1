/// One of the four state machines of a PIO block: its registers and its two FIFOs (RP2040 datasheet 3.2, 3.5).
struct PIOStateMachine {
    let index: UInt32
    var clockDivider: UInt32 = 0
    var execution: UInt32 = 0
    var shift: UInt32 = 0
    var pins: UInt32 = 0
    var isEnabled = false
    var counter: UInt32 = 0
    var x: UInt32 = 0
    var y: UInt32 = 0
    var input: UInt32 = 0
    var inputCount: UInt32 = 0
    var output: UInt32 = 0
    var outputCount: UInt32 = 32
    var transmit: [UInt32] = []
    var receive: [UInt32] = []
    /// By SMx_INSTR, OUT EXEC or MOV EXEC: executed before what the counter says.
    var forced: UInt16?
    /// IRQ with Wait has set its flag, and waits for somebody to clear it.
    var awaitsClear = false
    /// Waits for what it cannot do itself.
    var isBlocked = false
    /// When it executes next, in 1/256 cycles of the system clock.
    var due: UInt64 = 0

    init(index: UInt32) {
        self.index = index
        clockDivider = 0x0001_0000
        execution = 0x0001_F000
        shift = 0x000C_0000
        pins = 0x1400_0000
    }

    /// SM_RESTART.
    mutating func restart() {
        input = 0
        inputCount = 0
        outputCount = 32
        forced = nil
        awaitsClear = false
        isBlocked = false
    }

    /// Has something to execute.
    var isActive: Bool { (isEnabled || forced != nil) && !isBlocked }

    /// An instruction's time in 1/256 cycles; 0 in the integer part means 65536.
    var period: UInt64 {
        let whole = clockDivider >> 16
        return UInt64(whole == 0 ? 0x100_0000 : whole << 8 | clockDivider >> 8 & 0xFF)
    }

    // MARK: Fields

    private static func threshold(_ bits: UInt32) -> UInt32 { bits & 0x1F == 0 ? 32 : bits & 0x1F }

    var pushThreshold: UInt32 { Self.threshold(shift >> 20) }
    var pullThreshold: UInt32 { Self.threshold(shift >> 25) }
    var pushesByItself: Bool { shift & 1 << 16 != 0 }
    var pullsByItself: Bool { shift & 1 << 17 != 0 }
    var shiftsInRight: Bool { shift & 1 << 18 != 0 }
    var shiftsOutRight: Bool { shift & 1 << 19 != 0 }
    var transmitDepth: Int { shift & 1 << 31 != 0 ? 0 : shift & 1 << 30 != 0 ? 8 : 4 }
    var receiveDepth: Int { shift & 1 << 30 != 0 ? 0 : shift & 1 << 31 != 0 ? 8 : 4 }
    var inputBase: UInt32 { pins >> 15 & 0x1F }
    var jumpPin: UInt32 { execution >> 24 & 0x1F }

    /// MOV's STATUS: whether a FIFO holds fewer than N.
    var status: UInt32 {
        let count = execution & 0x10 == 0 ? transmit.count : receive.count
        return count < Int(execution & 0xF) ? .max : 0
    }

    mutating func advance() {
        counter = counter == execution >> 12 & 0x1F ? execution >> 7 & 0x1F : (counter + 1) & 0x1F
    }

    // MARK: Shifting

    /// IN: `count` bits, 1…32, into the input shift register.
    mutating func shiftIn(_ value: UInt32, _ count: UInt32) {
        let bits = UInt64(value) & (1 << UInt64(count) - 1)
        input =
            shiftsInRight
            ? UInt32(truncatingIfNeeded: (UInt64(input) >> UInt64(count)) | bits << UInt64(32 - count))
            : UInt32(truncatingIfNeeded: UInt64(input) << UInt64(count) | bits)
        inputCount = min(32, inputCount + count)
    }

    /// OUT: `count` bits, 1…32, from the output shift register.
    mutating func shiftOut(_ count: UInt32) -> UInt32 {
        let before = UInt64(output)
        outputCount = min(32, outputCount + count)
        if shiftsOutRight {
            output = UInt32(truncatingIfNeeded: before >> UInt64(count))
            return UInt32(truncatingIfNeeded: before & (1 << UInt64(count) - 1))
        }
        output = UInt32(truncatingIfNeeded: before << UInt64(count))
        return UInt32(truncatingIfNeeded: before >> UInt64(32 - count))
    }
}
