/// Endpoint 0: requests, their data and their status (USB 2.0 chapter 9).
struct ControlPipe {
    private static let transmitBuffer: UInt = 64, receiveBuffer: UInt = 128
    /// Where answers are put together.
    private static let scratch: UInt = 0x2000_3000

    private var left: UInt32 = 0
    private var next: UInt = 0
    private var owesEmptyPacket = false
    private var newAddress: UInt8 = 0
    private(set) var configuration: UInt8 = 0
    /// A request has data for us still to come.
    private var awaitsData = false

    mutating func reset() {
        Controller.setBuffers(
            0, transmit: UInt16(Self.transmitBuffer), receive: UInt16(Self.receiveBuffer))
        Controller.restart(
            0, configuration: 0x0200, receive: Controller.State.valid, transmit: Controller.State.nak)
        Controller.address.value = 0x80
        configuration = 0
        left = 0
        newAddress = 0
        awaitsData = false
        owesEmptyPacket = false
    }

    /// - Returns: true when the data pipes are to begin anew.
    mutating func serve() -> Bool {
        let value = Controller.endpoint(0).value
        var restarts = false
        if value & Controller.Event.received != 0 {
            Controller.clear(Controller.Event.received, 0)
            if value & Controller.Event.setup != 0 {
                restarts = request()
            } else {
                if awaitsData { takeData() }
                Controller.setReceive(0, Controller.State.valid)
            }
        }
        if value & Controller.Event.transmitted != 0 {
            Controller.clear(Controller.Event.transmitted, 0)
            if newAddress != 0 {
                Controller.address.value = 0x80 | UInt32(newAddress)
                newAddress = 0
            }
            if left > 0 || owesEmptyPacket { send() }
        }
        return restarts
    }

    private func field(_ offset: UInt) -> UInt32 { UInt32(Controller.byte(Self.receiveBuffer &+ offset)) }

    private mutating func request() -> Bool {
        let type = field(0), code = field(1), low = field(2), high = field(3), index = field(4)
        let length = field(6) | field(7) << 8
        left = 0
        owesEmptyPacket = false
        awaitsData = false
        switch (type, code) {
        case (0x80, 6): describe(kind: high, index: low, length)
        case (0x80, 8):
            let present = configuration
            answer(1, length) { _ in present }
        case (0x80, 0), (0x81, 0), (0x82, 0): answer(2, length) { _ in 0 }
        case (0x81, 10): answer(1, length) { _ in 0 }
        case (0x00, 5):
            newAddress = UInt8(truncatingIfNeeded: low)
            acknowledge()
        case (0x00, 9):
            configuration = UInt8(truncatingIfNeeded: low)
            acknowledge()
            return true
        case (0x01, 11): acknowledge()
        case (0x02, 1), (0x02, 3):
            acknowledge()
            if code == 1 { DataPipes.clearHalt(index) }
        #if !USB_CHAR
        case (0x21, 0x20):
            awaitsData = length == 7
            if awaitsData { Controller.setReceive(0, Controller.State.valid) } else { refuse() }
        case (0xA1, 0x21): answer(7, length) { load8(Self.lineCoding &+ $0) }
        case (0x21, 0x22), (0x21, 0x23): acknowledge()
        #endif
        default: refuse()
        }
        return false
    }

    private func refuse() {
        Controller.setReceive(0, Controller.State.valid)
        Controller.setTransmit(0, Controller.State.stall)
    }

    private mutating func acknowledge() {
        Controller.setReceive(0, Controller.State.valid)
        Controller.transmitCount(0, 0)
        Controller.setTransmit(0, Controller.State.valid)
    }

    /// SET_LINE_CODING, which GET_LINE_CODING gives back; an echo has no other use for it.
    private static let lineCoding: UInt = 0x2000_3100

    static func setFirstLineCoding() {
        // 115200 bit/s, 8 data bits.
        let bytes: InlineArray<7, UInt8> = [0, 0xC2, 1, 0, 0, 0, 8]
        for index in 0..<7 { store8(lineCoding &+ UInt(index), bytes[index]) }
    }

    private mutating func takeData() {
        awaitsData = false
        for index in 0..<UInt(7) { store8(Self.lineCoding &+ index, Controller.byte(Self.receiveBuffer &+ index)) }
        Controller.transmitCount(0, 0)
        Controller.setTransmit(0, Controller.State.valid)
    }

    // MARK: Answers

    private mutating func describe(kind: UInt32, index: UInt32, _ length: UInt32) {
        switch (kind, index) {
        case (1, _): answer(UInt32(deviceDescriptor.count), length) { deviceDescriptor[Int($0)] }
        case (2, _): answer(UInt32(configurationDescriptor.count), length) { configurationDescriptor[Int($0)] }
        case (3, 0):
            answer(4, length) { $0 == 0 ? 4 : $0 == 1 ? 3 : $0 == 2 ? 9 : 4 }
        case (3, 1): describe(manufacturer, length)
        case (3, 2): describe(product, length)
        case (3, 3):
            // The chip's unique id in hexadecimal.
            answer(50, length) { position in
                if position < 2 { return position == 0 ? 50 : 3 }
                guard position & 1 == 0 else { return 0 }
                let digit = (position &- 2) >> 1
                let value = load8(uniqueID &+ digit >> 1) >> (digit & 1 == 0 ? 4 : 0) & 15
                return value < 10 ? 48 &+ value : 55 &+ value
            }
        default: refuse()
        }
    }

    private mutating func describe(_ text: StaticString, _ length: UInt32) {
        let size = UInt32(truncatingIfNeeded: text.utf8CodeUnitCount) &* 2 &+ 2
        answer(size, length) { position in
            if position < 2 { return position == 0 ? UInt8(truncatingIfNeeded: size) : 3 }
            return position & 1 == 0 ? text.utf8Start[Int((position &- 2) >> 1)] : 0
        }
    }

    private mutating func answer(_ count: UInt32, _ asked: UInt32, _ byte: (UInt) -> UInt8) {
        left = min(count, asked)
        for index in 0..<UInt(left) { store8(Self.scratch &+ index, byte(index)) }
        next = Self.scratch
        // A short answer whose last packet is full ends with an empty one.
        owesEmptyPacket = count < asked && count & 63 == 0
        Controller.setReceive(0, Controller.State.valid)
        send()
    }

    private mutating func send() {
        let count = min(left, 64)
        if count == 0 { owesEmptyPacket = false }
        for index in 0..<UInt(count) { Controller.setByte(Self.transmitBuffer &+ index, load8(next &+ index)) }
        next &+= UInt(count)
        left &-= count
        Controller.transmitCount(0, count)
        Controller.setTransmit(0, Controller.State.valid)
    }
}
