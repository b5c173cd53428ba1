/// Bulk 0x81 to the host and 0x02 from it, with a ring behind each; and the interrupt endpoint of CDC-ACM, which is
/// never used.
struct DataPipes {
    private static let transmitBuffer: UInt = 192, receiveBuffer: UInt = 256

    var toHost = Ring(at: 0x2000_1000)
    /// An echo gives back at once what came; this is for the serial port.
    var fromHost = Ring(at: 0x2000_1800)
    private var isConfigured = false
    private var isSending = false
    private var owesEmptyPacket = false
    private var hasPacket = false

    mutating func configure() {
        Controller.setBuffers(1, transmit: UInt16(Self.transmitBuffer), receive: 0)
        Controller.setBuffers(2, transmit: 0, receive: UInt16(Self.receiveBuffer))
        Controller.restart(1, configuration: 0x0001, receive: 0, transmit: Controller.State.nak)
        Controller.restart(2, configuration: 0x0002, receive: Controller.State.valid, transmit: 0)
        #if !USB_CHAR
        Controller.setBuffers(3, transmit: 320, receive: 0)
        Controller.restart(3, configuration: 0x0603, receive: 0, transmit: Controller.State.nak)
        #endif
        toHost.clear()
        fromHost.clear()
        isConfigured = true
        isSending = false
        owesEmptyPacket = false
        hasPacket = false
    }

    mutating func reset() { isConfigured = false }

    /// CLEAR_FEATURE(ENDPOINT_HALT): a host that sends it goes on with DATA0.
    static func clearHalt(_ address: UInt32) {
        let value = Controller.endpoint(UInt(address & 3)).value
        switch address {
        case 0x81: Controller.endpoint(1).value = value & Controller.Event.plain | Controller.Event.kept | value & 0x40
        case 0x02:
            Controller.endpoint(2).value = value & Controller.Event.plain | Controller.Event.kept | value & 0x4000
        default: break
        }
    }

    mutating func transferred(_ index: UInt) {
        if index == 2 {
            Controller.clear(Controller.Event.received, 2)
            hasPacket = true
        } else {
            Controller.clear(Controller.Event.transmitted, index)
            if index == 1 { isSending = false }
        }
    }

    /// Moves what can be moved.
    mutating func poll() {
        guard isConfigured else { return }
        if hasPacket { take() }
        if !isSending, toHost.count > 0 || owesEmptyPacket { give() }
    }

    private mutating func take() {
        #if USB_CHAR
        guard fromHost.room >= 64 else { return }
        #else
        guard toHost.room >= 64 else { return }
        #endif
        for index in 0..<UInt(min(Controller.receivedCount(2), 64)) {
            let byte = Controller.byte(Self.receiveBuffer &+ index)
            #if USB_CHAR
            fromHost.put(byte)
            #else
            toHost.put(byte)
            #endif
        }
        hasPacket = false
        Controller.setReceive(2, Controller.State.valid)
    }

    private mutating func give() {
        let count = min(toHost.count, 64)
        for index in 0..<UInt(count) { Controller.setByte(Self.transmitBuffer &+ index, toHost.take()) }
        // A packet that is not full ends the host's transfer.
        owesEmptyPacket = count == 64
        isSending = true
        Controller.transmitCount(1, count)
        Controller.setTransmit(1, Controller.State.valid)
    }
}
