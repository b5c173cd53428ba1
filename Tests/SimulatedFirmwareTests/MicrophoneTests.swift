import AudioTestKit
import NIOCore
import NIOEmbedded
import Testing
import USBClasses
import USBCore

@testable import SimulatedFirmware
@testable import USBDevice

@Suite struct TestToneTests {
    @Test(arguments: [20, 440, 1000, 12345, 20000])
    func itIsASineOfTheFrequencyWithItsMillisecondInTheLowestBits(_ frequency: Int) throws {
        let tone = try TestTone(frequency: frequency)
        // Zero crossings upwards in one second.
        let signs = (0...48000).map { (tone[$0] & ~1) >= 0 }
        let crossings = zip(signs, signs.dropFirst()).count { !$0 && $1 }
        #expect(abs(crossings - frequency) <= 1)
        #expect((0..<48000).map { tone[$0] }.max() ?? 0 <= 16385)
        #expect((0..<48000).map { tone[$0] }.max() ?? 0 >= 14000)
        for millisecond in [0, 1, 77, 65536, 0x8123_4567] {
            let bytes = tone.bytes(ofMillisecond: millisecond)
            #expect(bytes.count == 96)
            let bits = (0..<48).reduce(0 as UInt64) { $0 | UInt64(bytes[2 * $1] & 1) << UInt64($1) }
            #expect(bits == UInt64(TestTone.marker) << 32 | UInt64(millisecond))
        }
    }

    @Test(arguments: [19, 20001, 0, -1, Int.max])
    func otherFrequenciesAreRefused(_ frequency: Int) {
        #expect(throws: CatalogueError.badTone(frequency)) { try TestTone(frequency: frequency) }
    }

    @Test func aRecordingIsCheckedSampleBySample() throws {
        let tone = try TestTone(frequency: 1000)
        let whole = (5..<300).flatMap { tone.bytes(ofMillisecond: $0) }
        #expect(ToneRecording(whole, of: tone).isFlawless)
        #expect(ToneRecording(whole, of: tone).firstSample == 240)
        #expect(ToneRecording(Array(whole.dropFirst(34)), of: tone).firstSample == 240 + 17)
        var wrong = whole
        wrong[20000] ^= 2
        #expect(!ToneRecording(wrong, of: tone).isFlawless)
        // A whole period, which no ear and no comparison with the sine alone would miss.
        var short = whole
        short.removeSubrange(960..<1056)
        #expect(ToneRecording(short, of: tone).faults.map(\.missing).contains(48))
        #expect(!ToneRecording(Array(repeating: 0, count: 9600), of: tone).isFlawless)
        #expect(!ToneRecording(whole, of: try TestTone(frequency: 1001)).isFlawless)
    }
}

@Suite struct MicrophoneTests {
    private let loop = EmbeddedEventLoop()
    private let function: MicrophoneFunction
    private let changes: AsyncStream<DeviceChange>
    private let guest: Guest

    private init(_ speed: Speed) throws {
        function = MicrophoneFunction(name: "mic", tone: try TestTone(frequency: 1000))
        let (changes, feed) = AsyncStream.makeStream(of: DeviceChange.self)
        self.changes = changes
        guest = try Guest(function: function, speed: speed, feed: feed, loop: loop)
        (guest.port.firmware as? SimulatedDevice)?.frameClock = EventLoopFrameClock(loop)
        guest.configure()
    }

    init() throws { try self.init(.high) }

    @Test(arguments: [(Speed.full, 1), (.high, 4), (.super, 4)] as [(Speed, UInt8)])
    func declaresAMicrophoneOfOneFormat(_ speed: Speed, _ interval: UInt8) throws {
        let bench = try MicrophoneTests(speed)
        let configuration = try #require(bench.guest.configuration)
        #expect(configuration.associations.map(\.interfaceCount) == [2])
        let interfaces = configuration.interfaces
        #expect(interfaces.map(\.interfaceNumber) == [0, 1, 1])
        #expect(interfaces.map(\.alternateSetting) == [0, 0, 1])
        #expect(interfaces.map(\.interfaceClass) == [1, 1, 1])
        #expect(interfaces.map(\.interfaceSubClass) == [1, 2, 2])
        #expect(
            interfaces[0].classDescriptors == [
                [9, 0x24, 1, 0, 1, 30, 0, 1, 1], [12, 0x24, 2, 1, 1, 2, 0, 1, 0, 0, 0, 0],
                [9, 0x24, 3, 2, 1, 1, 0, 1, 0],
            ])
        #expect(interfaces[0].classDescriptors.map(\.count).reduce(0, +) == 30)
        #expect(interfaces.map(\.endpoints.count) == [0, 0, 1])
        #expect(
            interfaces[2].classDescriptors == [
                [7, 0x24, 1, 2, 1, 1, 0], [11, 0x24, 2, 1, 1, 2, 16, 1, 0x80, 0xBB, 0],
            ])
        let endpoint = try #require(interfaces[2].endpoints.first)
        #expect(Array(endpoint.bytes.prefix(9)) == [9, 5, 0x81, 0x0D, 96, 0, interval, 0, 0])
        #expect(endpoint.classDescriptors == [[7, 0x25, 1, 1, 0, 0, 0]])
        #expect(try ConfigurationDescriptor(parsing: configuration.bytes) == configuration)
    }

    @Test func samplingFrequencyCanBeReadAndSetToWhatItIs() {
        guest.control(0x01, 11, value: 1, index: 1)
        for request: UInt8 in [0x81, 0x82, 0x83] {
            #expect(guest.control(0xA2, request, value: 0x100, index: 0x81, length: 3)?.data == [0x80, 0xBB, 0])
        }
        #expect(guest.control(0x22, 1, value: 0x100, index: 0x81, data: [0x80, 0xBB, 0])?.status == .success)
        #expect(guest.control(0x22, 1, value: 0x100, index: 0x81, data: [0x44, 0xAC, 0])?.status == .stall)
        #expect(guest.control(0x22, 1, value: 0x100, index: 0x81, data: [0x80, 0xBB])?.status == .stall)
        #expect(guest.control(0x22, 1, value: 0x200, index: 0x81, data: [1])?.status == .stall)
        #expect(guest.control(0xA1, 0x81, value: 0x100, index: 0, length: 3)?.status == .stall)
    }

    /// A driver with `count` transfers of `packets` packets under way for `milliseconds`.
    private func record(_ bench: MicrophoneTests, milliseconds: Int, count: Int = 4, packets: Int = 8) -> [UInt8] {
        var recorded: [UInt8] = []
        func submit() {
            bench.guest.submit(
                { id in
                    .in(
                        id, 1, length: packets * 100,
                        packets: (0..<packets).map { IsochronousPacket(offset: $0 * 100, length: 100) })
                },
                { completion in
                    guard completion.status == .success else { return }
                    #expect(completion.packets.map(\.actualLength) == Array(repeating: 96, count: packets))
                    recorded += completion.data
                    submit()
                })
        }
        bench.guest.control(0x01, 11, value: 1, index: 1)
        for _ in 0..<count { submit() }
        bench.loop.advanceTime(by: .milliseconds(Int64(milliseconds)))
        bench.guest.control(0x01, 11, value: 0, index: 1)
        return recorded
    }

    @Test(arguments: [Speed.full, .high, .super])
    func aRecordingOfThirtySecondsIsFlawless(_ speed: Speed) throws {
        let bench = try MicrophoneTests(speed)
        let recorded = record(bench, milliseconds: 30_000)
        let check = ToneRecording(recorded, of: function.tone)
        #expect(check.isFlawless, "\(check)")
        #expect(check.firstSample == 0)
        #expect((29_990...30_000).contains(check.milliseconds))
    }

    @Test func eachRecordingBeginsAnewAndIsTold() async throws {
        #expect(ToneRecording(record(self, milliseconds: 100), of: function.tone).firstSample == 0)
        #expect(ToneRecording(record(self, milliseconds: 100), of: function.tone).firstSample == 0)
        guest.port.disconnect()
        var notes: [String] = []
        for await change in changes {
            if case .note(_, let text) = change { notes.append(text) }
            if notes.count == 4 { break }
        }
        #expect(notes == ["recording", "recording ended", "recording", "recording ended"])
    }

    @Test func configurationNamesTheTone() throws {
        #expect(throws: CatalogueError.badTone(5)) { try InterfaceSpec.microphone(name: "mic", hertz: 5) }
        let spec = try InterfaceSpec.microphone(name: "mic", hertz: 440)
        #expect((spec.kind, spec.name, spec.title) == ("microphone", "mic", "Microphone"))
        let function = try Catalogue.makeFunction(spec, eventLoop: loop, logger: .test)
        #expect(function.backend == "tone 440 Hz")
        #expect(function.kind == "microphone")
        #expect(Catalogue.problem(with: spec) == nil)
    }
}
