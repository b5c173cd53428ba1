import DequeModule
import NIOCore
import USBClasses
import USBCore
import USBDevice

/// A keyboard that types what the operator wants: a HID boot keyboard, which firmware and boot loaders use too, with a
/// second interface for consumer controls.
///
/// A report goes out when the guest has taken the one before, and not sooner than `pace` after it: nothing is lost,
/// however slowly the guest polls, and a wire that reads ahead need not hold much.
public final class KeyboardFunction: Function {
    /// Reports that may wait; a text that would need more is refused whole.
    static let maximumQueuedReports = 1 << 18
    /// The endpoint's interval.
    static let pace = TimeAmount.milliseconds(8)

    /// Why nothing was pressed or typed.
    public enum Refusal: Error, Equatable, CustomStringConvertible {
        case notActive(name: String)
        case tooMuch(waiting: Int)
        case untypable(Keystrokes.Untypable)

        public var description: String {
            switch self {
            case .notActive(let name): "no guest uses the keyboard '\(name)' now"
            case .tooMuch(let waiting): "too much to type at once; \(waiting) reports wait already"
            case .untypable(let reason): "\(reason)"
            }
        }
    }

    /// A report and the endpoint that it goes to.
    private struct Report {
        var endpoint: EndpointKey
        var bytes: [UInt8]
        /// Told when the guest has taken it, with false when it never will.
        var whenTaken: ((Bool) -> Void)?
    }

    static let keys: EndpointKey = "keys"
    static let consumer: EndpointKey = "consumer"

    public let name: String
    public let kind = "keyboard"
    /// The layout that the guest is set to, unless `type` says otherwise.
    public let layout: KeyboardLayout
    public private(set) var leds: KeyboardLEDs = []
    private let eventLoop: any EventLoop
    private var context: (any FunctionContext)?
    private var queue: Deque<Report> = []
    /// Of the report that is on its way.
    private var whenTaken: ((Bool) -> Void)?
    private var pacing: Scheduled<Void>?
    private var isPumping = false
    /// What was sent last, which GET_REPORT asks for.
    private var lastReports: [EndpointKey: [UInt8]] = [:]
    /// SET_PROTOCOL: 0 boot, 1 report. Both have the same reports.
    private var protocolNumber: UInt8 = 1
    /// SET_IDLE in units of 4 ms, by interface. No key stays down, so that there is nothing to repeat.
    private var idleRates: [UInt8] = [0, 0]

    init(name: String, layout: KeyboardLayout, eventLoop: any EventLoop) {
        self.name = name
        self.layout = layout
        self.eventLoop = eventLoop
    }

    public var backend: String {
        "layout \(layout.rawValue)" + (queue.isEmpty ? "" : ", typing") + (leds.isEmpty ? "" : ", \(leds.text) lit")
    }

    /// Reports that the guest has not been given yet.
    public var waitingReports: Int { queue.count }

    /// Types `text` as a person at a keyboard of `layout` would; Caps Lock is off meanwhile.
    ///
    /// - Parameter whenTaken: told when the guest has taken all of it; with false when it left before.
    public func type(
        _ text: String, layout: KeyboardLayout? = nil, whenTaken: ((Bool) -> Void)? = nil
    ) throws(Refusal) {
        guard text.utf8.count <= Self.maximumQueuedReports else { throw .tooMuch(waiting: queue.count) }
        let keystrokes: Keystrokes
        do throws(Keystrokes.Untypable) {
            keystrokes = try Keystrokes(typing: text, layout: layout ?? self.layout)
        } catch {
            throw .untypable(error)
        }
        let capsLock = leds.contains(.capsLock) ? [Keystroke.capsLock.report, Keystroke.released] : []
        try enqueue(
            (capsLock + keystrokes.reports + capsLock).map { Report(endpoint: Self.keys, bytes: $0) }, whenTaken)
    }

    /// Presses keys together and lets them go.
    public func press(_ chord: KeyChord, whenTaken: ((Bool) -> Void)? = nil) throws(Refusal) {
        var reports: [Report] = []
        if let report = chord.report { reports.append(Report(endpoint: Self.keys, bytes: report)) }
        if let usage = chord.consumerUsage {
            reports.append(Report(endpoint: Self.consumer, bytes: [UInt8(usage & 0xFF), UInt8(usage >> 8)]))
            reports.append(Report(endpoint: Self.consumer, bytes: [0, 0]))
        }
        if chord.report != nil { reports.append(Report(endpoint: Self.keys, bytes: Keystroke.released)) }
        try enqueue(reports, whenTaken)
    }

    // MARK: Function

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let boot = ClassCode(HID.interfaceClass, HID.boot, HID.keyboard)
        return FunctionDeclaration(
            classCode: boot,
            interfaces: [
                InterfaceDeclaration(
                    classCode: boot, classDescriptors: { _ in [HID.descriptor(report: HID.keyboardReport)] },
                    endpoints: [
                        EndpointDeclaration(Self.keys, .in, .interrupt, maxPacketSize: 8, intervalMilliseconds: 8)
                    ]),
                InterfaceDeclaration(
                    classCode: ClassCode(HID.interfaceClass, 0, 0),
                    classDescriptors: { _ in [HID.descriptor(report: HID.consumerReport)] },
                    endpoints: [
                        EndpointDeclaration(Self.consumer, .in, .interrupt, maxPacketSize: 8, intervalMilliseconds: 8)
                    ]),
            ])
    }

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() {
        protocolNumber = 1
        idleRates = [0, 0]
    }

    public func deactivate() {
        if !queue.isEmpty {
            let note = "the guest left before all was typed; \(queue.count) reports dropped"
            context?.report(.note(interface: name, note))
        }
        forget()
        lastReports = [:]
        leds = []
    }

    public func endpointReady(_ endpoint: EndpointKey) { pump() }

    public func shutdown() {
        forget()
        context = nil
    }

    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard setup.requestType.recipient == .interface, offset < idleRates.count else { return .stall }
        if setup.standard == .getDescriptor { return descriptor(setup, offset) }
        guard setup.requestType.kind == .class else { return .stall }
        let isKeyboard = offset == 0
        let (high, low) = (UInt8(setup.value >> 8), UInt8(setup.value & 0xFF))
        switch (HID.Request(rawValue: setup.request), setup.direction) {
        case (.getReport, .in) where low == 0:
            switch HID.ReportType(rawValue: high) {
            case .input where isKeyboard: return .acknowledge(lastReports[Self.keys] ?? Keystroke.released)
            case .input: return .acknowledge(lastReports[Self.consumer] ?? [0, 0])
            case .output where isKeyboard: return .acknowledge([leds.rawValue])
            default: return .stall
            }
        case (.setReport, .out) where isKeyboard && low == 0 && high == HID.ReportType.output.rawValue:
            guard data.count == 1 else { return .stall }
            change(leds: KeyboardLEDs(rawValue: data[0]))
            return .acknowledge()
        case (.getIdle, .in) where low == 0: return .acknowledge([idleRates[offset]])
        case (.setIdle, .out) where low == 0:
            idleRates[offset] = high
            return .acknowledge()
        case (.getProtocol, .in) where isKeyboard: return .acknowledge([protocolNumber])
        case (.setProtocol, .out) where isKeyboard && setup.value <= 1:
            protocolNumber = low
            return .acknowledge()
        default: return .stall
        }
    }

    // MARK: Inside

    private func descriptor(_ setup: SetupPacket, _ offset: Int) -> ControlReply {
        let report = offset == 0 ? HID.keyboardReport : HID.consumerReport
        return switch (UInt8(setup.value >> 8), UInt8(setup.value & 0xFF)) {
        case (HID.reportDescriptorType, 0): .acknowledge(report)
        case (HID.descriptorType, 0): .acknowledge(HID.descriptor(report: report))
        default: .stall
        }
    }

    private func change(leds new: KeyboardLEDs) {
        guard new != leds else { return }
        leds = new
        context?.report(.note(interface: name, "LEDs: \(new.text)"))
    }

    private func enqueue(_ reports: [Report], _ whenTaken: ((Bool) -> Void)?) throws(Refusal) {
        guard context?.isActive == true else { throw .notActive(name: name) }
        guard queue.count + reports.count <= Self.maximumQueuedReports else { throw .tooMuch(waiting: queue.count) }
        var reports = reports
        if reports.isEmpty { whenTaken?(true) } else { reports[reports.count - 1].whenTaken = whenTaken }
        queue += reports
        pump()
    }

    private func pump() {
        guard !isPumping, let context, context.isActive, context.queuedBytes(Self.keys) == 0,
            context.queuedBytes(Self.consumer) == 0
        else { return }
        if let taken = whenTaken {
            whenTaken = nil
            taken(true)
        }
        guard pacing == nil, !isPumping, let report = queue.popFirst() else { return }
        isPumping = true
        whenTaken = report.whenTaken
        lastReports[report.endpoint] = report.bytes
        pacing = eventLoop.assumeIsolated().scheduleTask(in: Self.pace) { [weak self] in
            self?.pacing = nil
            self?.pump()
        }
        context.write(report.bytes, to: report.endpoint, endOfMessage: true)
        isPumping = false
    }

    /// What waits is not typed any more, and who waits for it is told.
    private func forget() {
        pacing?.cancel()
        pacing = nil
        let waiting = [whenTaken] + queue.map(\.whenTaken)
        whenTaken = nil
        queue.removeAll()
        for taken in waiting { taken?(false) }
    }
}
