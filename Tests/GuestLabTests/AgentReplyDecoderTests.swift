import NIOCore
import Testing

@testable import GuestLab

@Suite struct AgentReplyDecoderTests {
    @Test func repliesAreCutAtAnyByte() throws {
        let stream: [UInt8] = Array("ready 6.1\nexit 7 3 4\n".utf8) + [0, 10, 255, 10] + Array("exit 8 0 0\n".utf8)
        for split in 0...stream.count {
            var decoder = AgentReplyDecoder()
            var buffer = ByteBuffer()
            var replies: [AgentReply] = []
            for part in [stream[..<split], stream[split...]] {
                buffer.writeBytes(part)
                while let reply = try decoder.decode(buffer: &buffer) { replies.append(reply) }
            }
            #expect(
                replies == [
                    .ready(kernelRelease: "6.1"),
                    .exit(id: 7, CommandResult(exitCode: 3, output: [0, 10, 255, 10])),
                    .exit(id: 8, CommandResult(exitCode: 0, output: [])),
                ])
        }
    }

    @Test(arguments: [
        "exit 1 0 -1\n", "exit 1 0 99999999999\n", "exit 1 0\n", "hello\n", "\n", "exit a b c\n",
        String(repeating: "x", count: 300),
    ])
    func hostileHeadersAreRefused(text: String) {
        var decoder = AgentReplyDecoder()
        var buffer = ByteBuffer(string: text)
        #expect(throws: LabError.self) { try decoder.decode(buffer: &buffer) }
    }
}
