import Testing
import USBClasses

struct CDCTests {
    @Test(
        arguments: [
            ([0x00, 0xC2, 0x01, 0x00, 0, 0, 8], "115200 8N1"), ([0x80, 0x25, 0, 0, 2, 2, 7], "9600 7E2"),
            ([0xFF, 0xFF, 0xFF, 0xFF, 1, 4, 16], "4294967295 16S1.5"),
        ] as [([UInt8], String)])
    func lineCodingRoundTrips(bytes: [UInt8], text: String) throws {
        let coding = try #require(LineCoding(bytes: bytes))
        #expect(coding.description == text)
        #expect(coding.bytes == bytes)
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 3, 0, 8], [0, 0, 0, 0, 0, 5, 8], [0, 0, 0, 0, 0, 0, 9],
            [0, 0, 0, 0, 0, 0, 8, 0],
        ] as [[UInt8]])
    func lineCodingRefuses(bytes: [UInt8]) {
        #expect(LineCoding(bytes: bytes) == nil)
    }
}
