import Testing
import USBCore

@Suite struct SetupPacketTests {
    @Test func bytesAndFields() throws {
        let raw: [UInt8] = [0x80, 6, 0x00, 0x02, 0x09, 0x04, 0xFF, 0x01]
        let setup = try #require(SetupPacket(bytes: raw))
        #expect(setup.requestType == RequestType(.in, .standard, .device))
        #expect(setup.standard == .getDescriptor)
        #expect(setup.value == 0x0200)
        #expect(setup.index == 0x0409)
        #expect(setup.length == 0x01FF)
        #expect(setup.direction == .in)
        #expect(setup.bytes == raw)
    }

    @Test(arguments: [0, 7, 9, 64]) func eightBytesExactly(count: Int) {
        #expect(SetupPacket(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }

    @Test func aSliceThatDoesNotStartAtZero() {
        let bytes: [UInt8] = [0xFF, 0xFF, 0x21, 0x20, 0, 0, 0, 0, 7, 0]
        #expect(SetupPacket(bytes: bytes[2...])?.bytes == Array(bytes[2...]))
    }

    @Test func everyRequestTypeSurvives() {
        for raw in UInt8.min ... .max {
            let type = RequestType(rawValue: raw)
            #expect(SetupPacket(bytes: [raw, 0, 0, 0, 0, 0, 0, 0])?.bytes[0] == raw)
            #expect(type.direction == (raw < 0x80 ? .out : .in))
            #expect(type.kind.rawValue == raw >> 5 & 3)
            if raw & 0x1F < 4 {
                #expect(RequestType(type.direction, type.kind, type.recipient) == type)
            } else {
                #expect(type.recipient == .reserved)
            }
        }
    }

    @Test func classRequestsAreNotStandardOnes() {
        let setup = SetupPacket(requestType: RequestType(.out, .class, .interface), request: 6)
        #expect(setup.standard == nil)
    }

    @Test func controlTransfersFollowTheSetup() {
        let read = SetupPacket(requestType: RequestType(.in, .standard, .device), request: 6, length: 18)
        #expect(Transfer.control(1, read, data: [1]).endpoint == .controlIn)
        #expect(Transfer.control(1, read, data: [1]).data == [])
        #expect(Transfer.control(1, read).length == 18)
        let noData = SetupPacket(requestType: RequestType(.in, .standard, .device), request: 6)
        #expect(Transfer.control(1, noData).endpoint == .controlOut)
        let write = SetupPacket(requestType: RequestType(.out, .class, .interface), request: 1, length: 2)
        #expect(Transfer.control(1, write, data: [1, 2]).length == 2)
        #expect(Transfer.in(1, 1, length: -5).length == 0)
    }
}

@Suite struct EndpointAddressTests {
    @Test func everyByte() {
        for raw in UInt8.min ... .max {
            let address = EndpointAddress(rawValue: raw)
            #expect(address.rawValue == raw & 0x8F)
            #expect(EndpointAddress(address.number, address.direction) == address)
            #expect(address.index == Int(raw & 0x0F) + (raw < 0x80 ? 0 : 16))
            #expect(UInt8(address.description, radix: 16) == address.rawValue)
            #expect(address.description.count == 2)
        }
    }
}
