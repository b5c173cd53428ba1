/// Half of a buffer control word: one buffer of an endpoint (RP2040 datasheet 4.1.2.5.3).
struct BufferControl {
    private static let full: UInt32 = 1 << 15, last: UInt32 = 1 << 14, pid: UInt32 = 1 << 13
    private static let select: UInt32 = 1 << 12, stall: UInt32 = 1 << 11, available: UInt32 = 1 << 10

    var bits: UInt32

    var isFull: Bool { bits & Self.full != 0 }
    /// The last buffer of a transfer.
    var isLast: Bool { bits & Self.last != 0 }
    /// DATA1.
    var toggle: Bool { bits & Self.pid != 0 }
    /// The wire goes on with the first buffer of the pair.
    var resetsSelection: Bool { bits & Self.select != 0 }
    var isStalled: Bool { bits & Self.stall != 0 }
    var isAvailable: Bool { bits & Self.available != 0 }
    var length: Int { Int(bits & 0x3FF) }

    mutating func finishIn() { bits &= ~(Self.available | Self.full) }

    mutating func finishOut(_ count: Int) {
        bits = bits & ~(Self.available | 0x3FF) | Self.full | UInt32(count & 0x3FF)
    }
}

/// What the dual-port memory says about an endpoint in one direction.
struct RPEndpoint {
    /// 0…15.
    let number: Int
    let isIn: Bool

    /// Its bit in BUFF_STATUS and the registers like it.
    var bit: UInt32 { 1 << UInt32(number * 2 + (isIn ? 0 : 1)) }
    /// Its bit in EP_STALL_ARM.
    var stallBit: UInt32 { isIn ? 1 : 2 }
    /// Offset of the control word; endpoint 0 has none.
    var controlOffset: Int { number * 8 + (isIn ? 0 : 4) }
    /// Offset of the buffer control word.
    var bufferOffset: Int { 0x80 + number * 8 + (isIn ? 0 : 4) }
}

/// An endpoint control word (RP2040 datasheet 4.1.2.5.1).
struct RPEndpointControl {
    var isEnabled: Bool
    var isDoubleBuffered: Bool
    var interruptsPerBuffer: Bool
    var interruptsPerPair: Bool
    var interruptsOnStall: Bool
    var interruptsOnNAK: Bool
    var isIsochronous: Bool
    var bufferAddress: Int

    init(word: UInt32) {
        isEnabled = word >> 31 & 1 == 1
        isDoubleBuffered = word >> 30 & 1 == 1
        interruptsPerBuffer = word >> 29 & 1 == 1
        interruptsPerPair = word >> 28 & 1 == 1
        interruptsOnStall = word >> 17 & 1 == 1
        interruptsOnNAK = word >> 16 & 1 == 1
        isIsochronous = word >> 26 & 3 == 1
        bufferAddress = Int(word & 0xFFC0)
    }

    /// Endpoint 0's is in SIE_CTRL; its buffer is at a fixed place.
    init(endpoint0 control: UInt32) {
        isEnabled = true
        isDoubleBuffered = control & RPUSBController.Control.doubleBuffer0 != 0
        interruptsPerBuffer = control & RPUSBController.Control.interruptPerBuffer0 != 0
        interruptsPerPair = control & RPUSBController.Control.interruptPerPair0 != 0
        interruptsOnStall = control & RPUSBController.Control.interruptOnStall0 != 0
        interruptsOnNAK = control & RPUSBController.Control.interruptOnNAK0 != 0
        isIsochronous = false
        bufferAddress = 0x100
    }

    /// Distance of the second buffer of a pair, by the top of its half of the buffer control word.
    func secondOffset(_ upper: UInt32) -> Int { isIsochronous ? 128 << Int(upper >> 11 & 3) : 64 }
}
