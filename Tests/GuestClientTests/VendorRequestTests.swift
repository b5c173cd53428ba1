import Testing

@testable import GuestClientKit

@Suite struct VendorRequestTests {
    @Test func requestsAreAddressedToTheInterface() {
        #expect(
            VendorRequest.open(interface: 2)
                == VendorRequest(requestType: 0x41, code: 1, value: 0, index: 2, length: 0))
        #expect(
            VendorRequest.close(interface: 2)
                == VendorRequest(requestType: 0x41, code: 2, value: 0, index: 2, length: 0))
        #expect(
            VendorRequest.release(interface: 1, wholeDevice: false)
                == VendorRequest(requestType: 0x41, code: 3, value: 1, index: 1, length: 0))
        #expect(
            VendorRequest.hello(interface: 0)
                == VendorRequest(requestType: 0xC1, code: 0, value: 0, index: 0, length: 8))
    }

    @Test func helloIsLittleEndian() throws {
        let reply = try #require(HelloReply([0x00, 0x01, 0x34, 0x12, 0x00, 0x80, 0x00, 0x00]))
        #expect(reply.version == 0x0100 && reply.flags == 0x1234 && reply.maximumOutTransfer == 0x8000)
        #expect(reply.isSupported)
        #expect(HelloReply([0, 2, 0, 0, 0, 0, 0, 0])?.isSupported == false)
        #expect(HelloReply([0x00, 0x01, 0, 0, 0, 0, 0]) == nil)
    }

    @Test(arguments: [(0, 65536), (32768, 32768), (1000, 512), (100, 100), (0xFFFF_FFFF, 65536)])
    func outSizeFollowsTheSuggestionWithinBounds(_ suggestion: UInt32, _ expected: Int) throws {
        let bytes = [0, 1, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: suggestion >> ($0 * 8)) }
        let reply = try #require(HelloReply(bytes))
        #expect(reply.outTransferSize(limit: 65536, packet: 512) == expected)
    }

    @Test(arguments: [
        ("add@/devices/x\0ACTION=add\0SUBSYSTEM=usb\0", true), ("add@/x\0SUBSYSTEM=block\0", false),
        ("add@/x\0SUBSYSTEM=usb_extra\0", false), ("", false), ("\0\0\0", false),
    ])
    func ueventsAboutUSBAreNews(_ message: String, _ expected: Bool) {
        #expect(UeventSocket.isUSB(Array(message.utf8)) == expected)
    }
}
