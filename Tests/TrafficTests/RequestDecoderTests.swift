import Testing
import USBCore
import USBDevice

@testable import Traffic

@Suite struct RequestDecoderTests {
    private func line(_ bytes: [UInt8], _ decoder: RequestDecoder = RequestDecoder()) -> String {
        decoder.line(
            for: TransferSummary(
                endpoint: .controlIn, type: .control, setup: SetupPacket(bytes: bytes), length: 0, actual: 0,
                status: .success))
    }

    @Test(
        arguments: [
            ([0x80, 6, 0, 1, 0, 0, 18, 0], "GET_DESCRIPTOR device"),
            ([0x80, 6, 0, 2, 0, 0, 9, 0], "GET_DESCRIPTOR configuration 0"),
            ([0x80, 6, 0, 3, 0, 0, 255, 0], "GET_DESCRIPTOR languages"),
            ([0x80, 6, 3, 3, 9, 4, 255, 0], "GET_DESCRIPTOR string 3"),
            ([0x80, 6, 0, 15, 0, 0, 5, 0], "GET_DESCRIPTOR bos"),
            ([0x80, 6, 1, 0x77, 0, 0, 5, 0], "GET_DESCRIPTOR type 119 index 1"),
            ([0x00, 9, 1, 0, 0, 0, 0, 0], "SET_CONFIGURATION 1"),
            ([0x01, 11, 1, 0, 2, 0, 0, 0], "SET_INTERFACE 2 alternate 1"),
            ([0x02, 1, 0, 0, 0x81, 0, 0, 0], "CLEAR_FEATURE halt endpoint 81"),
            ([0x82, 0, 0, 0, 0x02, 0, 2, 0], "GET_STATUS endpoint 02"),
            ([0x00, 3, 48, 0, 0, 0, 0, 0], "SET_FEATURE u1 device"),
            ([0x00, 3, 9, 0, 0, 0, 0, 0], "SET_FEATURE 9 device"),
            ([0x00, 5, 12, 0, 0, 0, 0, 0], "SET_ADDRESS 12"),
            ([0x80, 99, 1, 0, 2, 0, 0, 0], "standard request 99 wValue 1 wIndex 2"),
        ] as [([UInt8], String)])
    func standardRequests(bytes: [UInt8], expected: String) {
        #expect(line(bytes) == expected)
    }

    @Test func theRestIsLeftToTheNext() {
        let decoder = RequestDecoder { "class of \($0.length)" }
        #expect(line([0x21, 0x20, 0, 0, 0, 0, 7, 0], decoder) == "class of 0")
        let bulk = TransferSummary(
            endpoint: EndpointAddress(rawValue: 0x81), type: .bulk, length: 512, actual: 5, status: .success)
        #expect(decoder.line(for: bulk) == "class of 512")
        #expect(RequestDecoder().line(for: bulk) == "")
    }
}
