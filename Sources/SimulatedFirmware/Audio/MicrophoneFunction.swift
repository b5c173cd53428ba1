import USBClasses
import USBCore
import USBDevice

/// A USB microphone (audio class 1.0): 48 kHz, 16 bits, one channel, hearing a test tone.
///
/// Each service interval of a millisecond brings the tone's millisecond of that number, counted from the guest's first
/// packet: what the guest was too late for is missing in its recording, as from a real microphone.
public final class MicrophoneFunction: Function {
    public let name: String
    public let kind = "microphone"
    public let tone: TestTone
    private var context: (any FunctionContext)?
    private var isStreaming = false

    init(name: String, tone: TestTone) {
        self.name = name
        self.tone = tone
    }

    public var backend: String { "tone \(tone.frequency) Hz" }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        FunctionDeclaration(
            classCode: ClassCode(AudioClass.interfaceClass, 0, 0),
            interfaces: [
                InterfaceDeclaration(
                    classCode: ClassCode(AudioClass.interfaceClass, AudioClass.controlSubClass, 0),
                    classDescriptors: { AudioClass.microphoneControlDescriptors(firstInterface: $0) },
                    endpoints: []),
                InterfaceDeclaration(
                    classCode: ClassCode(AudioClass.interfaceClass, AudioClass.streamingSubClass, 0),
                    alternates: [
                        AlternateDeclaration(endpoints: []),
                        AlternateDeclaration(
                            classDescriptors: { _ in
                                AudioClass.pcmStreamingDescriptors(
                                    channels: 1, samplingFrequency: TestTone.samplingFrequency)
                            }, endpoints: [Self.streamEndpoint]),
                    ]),
            ])
    }

    private static let stream: EndpointKey = "stream"

    /// Synchronous: the sampling clock is the bus's frame clock. bRefresh and bSynchAddress are 0.
    private static let streamEndpoint = EndpointDeclaration(
        stream, .in, .isochronous, maxPacketSize: 2 * TestTone.samplesPerMillisecond, intervalMilliseconds: 1,
        isochronousAttributes: 0x0C, extra: [0, 0], classDescriptors: [AudioClass.streamingEndpointDescriptor])

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() {}

    public func deactivate() { change(isStreaming: false) }

    public func endpointReady(_ endpoint: EndpointKey) {}

    public func shutdown() { context = nil }

    public func alternateSettingChanged(interface offset: Int, to setting: UInt8) {
        if offset == 1 { change(isStreaming: setting == 1) }
    }

    public func isochronousPacket(_ endpoint: EndpointKey, interval: Int, length: Int) -> [UInt8] {
        tone.bytes(ofMillisecond: interval)
    }

    /// The sampling frequency control of the streaming endpoint (Audio 1.0 section 5.2.3.2); there is one frequency.
    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard offset == 1, setup.requestType.kind == .class, setup.requestType.recipient == .endpoint,
            setup.value == UInt16(AudioClass.samplingFrequencyControl) << 8
        else { return .stall }
        switch (AudioClass.Request(rawValue: setup.request), setup.direction) {
        case (.setCurrent, .out):
            return AudioClass.frequency(data) == TestTone.samplingFrequency ? .acknowledge() : .stall
        case (.getCurrent, .in), (.getMinimum, .in), (.getMaximum, .in):
            return .acknowledge(AudioClass.frequencyBytes(TestTone.samplingFrequency))
        case (.getResolution, .in):
            return .acknowledge(AudioClass.frequencyBytes(0))
        default:
            return .stall
        }
    }

    private func change(isStreaming now: Bool) {
        guard now != isStreaming else { return }
        isStreaming = now
        context?.report(.note(interface: name, now ? "recording" : "recording ended"))
    }
}
