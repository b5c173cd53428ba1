import _Volatile

/// ST's full-speed USB device controller: its registers and its packet memory.
enum Controller {
    static let control = Register(0x4000_5C40), status = Register(0x4000_5C44), address = Register(0x4000_5C4C)
    static let table = Register(0x4000_5C50), pullUp = Register(0x4000_5C58)

    static func endpoint(_ index: UInt) -> Register { Register(0x4000_5C00 &+ index &* 4) }

    enum State {
        static let stall: UInt32 = 1, nak: UInt32 = 2, valid: UInt32 = 3
    }

    /// Events in the endpoint registers.
    enum Event {
        static let received: UInt32 = 0x8000, setup: UInt32 = 0x0800, transmitted: UInt32 = 0x0080
        /// What is written back to leave them as they are; the rest toggles, or is a value.
        static let kept: UInt32 = 0x8080, plain: UInt32 = 0x070F
    }

    static func setReceive(_ index: UInt, _ state: UInt32) {
        let register = endpoint(index), value = register.value
        register.value = value & Event.plain | Event.kept | (value ^ state << 12) & 0x3000
    }

    static func setTransmit(_ index: UInt, _ state: UInt32) {
        let register = endpoint(index), value = register.value
        register.value = value & Event.plain | Event.kept | (value ^ state << 4) & 0x0030
    }

    /// Data toggles back to DATA0, with the states wanted.
    static func restart(_ index: UInt, configuration: UInt32, receive: UInt32, transmit: UInt32) {
        let register = endpoint(index)
        let value = register.value
        register.value =
            configuration | Event.kept | value & 0x4040 | (value ^ (receive << 12 | transmit << 4)) & 0x3030
    }

    static func clear(_ event: UInt32, _ index: UInt) {
        let register = endpoint(index)
        register.value = register.value & Event.plain | Event.kept & ~event
    }

    // MARK: Packet memory, by the controller's addresses

    #if F103
    private static let scale: UInt = 2
    #else
    private static let scale: UInt = 1
    #endif

    static func half(_ offset: UInt) -> UInt16 {
        VolatileMappedRegister<UInt16>(unsafeBitPattern: 0x4000_6000 &+ offset &* scale).load()
    }

    static func setHalf(_ offset: UInt, _ value: UInt16) {
        VolatileMappedRegister<UInt16>(unsafeBitPattern: 0x4000_6000 &+ offset &* scale).store(value)
    }

    static func byte(_ offset: UInt) -> UInt8 {
        UInt8(truncatingIfNeeded: half(offset & ~1) >> UInt16(truncatingIfNeeded: (offset & 1) &* 8))
    }

    /// Bytes are written in order: an even one clears its neighbour.
    static func setByte(_ offset: UInt, _ value: UInt8) {
        let old = offset & 1 == 0 ? 0 : half(offset & ~1) & 0xFF
        setHalf(offset & ~1, old | UInt16(value) << UInt16(truncatingIfNeeded: (offset & 1) &* 8))
    }

    static func transmitCount(_ index: UInt, _ count: UInt32) {
        setHalf(index &* 8 &+ 2, UInt16(truncatingIfNeeded: count))
    }

    static func receivedCount(_ index: UInt) -> UInt32 { UInt32(half(index &* 8 &+ 6)) & 0x3FF }

    /// One entry of the buffer table; a receive buffer has 64 bytes.
    static func setBuffers(_ index: UInt, transmit: UInt16, receive: UInt16) {
        setHalf(index &* 8, transmit)
        setHalf(index &* 8 &+ 2, 0)
        setHalf(index &* 8 &+ 4, receive)
        setHalf(index &* 8 &+ 6, 0x8400)
    }

    /// Out of reset and onto the bus.
    static func attach() {
        control.value = 1
        control.value = 0
        status.value = 0
        table.value = 0
        // Reset, suspend, wake-up and transfers; the interrupts stay off in the NVIC.
        control.value = 0x9C00
        #if !F103
        pullUp.value = 0x8000
        #endif
    }
}
