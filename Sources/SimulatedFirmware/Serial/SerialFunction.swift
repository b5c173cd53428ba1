import DequeModule
import NIOCore
import USBClasses
import USBCore
import USBDevice

/// A CDC-ACM serial port (CDC 1.2, PSTN 1.2) in front of a host-side backend.
///
/// Back-pressure goes both ways: the backend is read only while the guest keeps up, and the guest is answered NAK while
/// the backend does not. What the guest sends while nobody is connected is kept up to `backlogLimit`. Bytes that the
/// guest had not taken when its configuration ended are kept for the next one.
public final class SerialFunction: Function {
    /// Bytes of the guest kept for a client that is yet to come; then the guest waits.
    static let backlogLimit = 65536
    /// Bytes on their way to the guest above which the backend is not read.
    static let unsentLimit = 65536
    /// Bytes handed to the endpoint at once.
    private static let handOver = 16384

    public let name: String
    public let kind = "serial"
    /// What the guest has set last; survives a blink.
    public private(set) var lineCoding = LineCoding()
    public private(set) var controlLines: ControlLines = []

    private let serialBackend: any SerialBackend
    private var context: (any FunctionContext)?
    /// From the backend, not yet handed to the endpoint.
    private var unsent = ByteBuffer()
    /// Handed to the endpoint and perhaps not taken by the guest yet.
    private var handed: Deque<[UInt8]> = []
    private var handedCount = 0
    /// From the guest, for the next client.
    private var backlog = ByteBuffer()
    private var announcedState: SerialState?
    private var isPumpingIn = false
    private var isPumpingOut = false

    init(name: String, backend: any SerialBackend) {
        self.name = name
        serialBackend = backend
        backend.sink = self
    }

    public var backend: String { serialBackend.text }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let acm = ClassCode(CDC.communicationsClass, CDC.abstractControlModel, CDC.atCommands)
        return FunctionDeclaration(
            classCode: acm,
            interfaces: [
                InterfaceDeclaration(
                    classCode: acm, classDescriptors: { CDC.acmDescriptors(firstInterface: $0) },
                    endpoints: [
                        EndpointDeclaration(.notify, .in, .interrupt, maxPacketSize: 16, intervalMilliseconds: 16)
                    ]),
                InterfaceDeclaration(
                    classCode: ClassCode(CDC.dataClass, 0, 0),
                    endpoints: [
                        EndpointDeclaration(.bulkIn, .in, .bulk), EndpointDeclaration(.bulkOut, .out, .bulk),
                    ]),
            ])
    }

    public func attach(_ context: FunctionContext) {
        self.context = context
    }

    public func activate() {
        announcedState = nil
        announceState()
        pumpIn()
    }

    public func deactivate() {
        reclaimHanded()
        announcedState = nil
        if !controlLines.isEmpty { change(controlLines: []) }
    }

    public func endpointReady(_ endpoint: EndpointKey) {
        switch endpoint {
        case .bulkIn: pumpIn()
        case .bulkOut: pumpOut()
        default: break
        }
    }

    public func shutdown() {
        serialBackend.shutdown()
        context = nil
    }

    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard offset == 0, setup.requestType.kind == .class, setup.requestType.recipient == .interface else {
            return .stall
        }
        switch (CDC.Request(rawValue: setup.request), setup.direction) {
        case (.setLineCoding, .out):
            guard let coding = LineCoding(bytes: data) else { return .stall }
            if coding != lineCoding {
                lineCoding = coding
                note(coding.description)
            }
            return .acknowledge()
        case (.getLineCoding, .in):
            return .acknowledge(lineCoding.bytes)
        case (.setControlLineState, .out):
            let lines = ControlLines(rawValue: setup.value & 3)
            if lines != controlLines { change(controlLines: lines) }
            return .acknowledge()
        case (.sendBreak, .out):
            note(setup.value == 0 ? "break off" : setup.value == 0xFFFF ? "break on" : "break \(setup.value) ms")
            return .acknowledge()
        default:
            return .stall
        }
    }

    private func change(controlLines lines: ControlLines) {
        let changed = lines.symmetricDifference(controlLines)
        controlLines = lines
        let texts = [(ControlLines.dataTerminalReady, "DTR"), (.requestToSend, "RTS")].compactMap {
            changed.contains($0.0) ? "\($0.1) \(lines.contains($0.0) ? "on" : "off")" : nil
        }
        note(texts.joined(separator: ", "))
    }

    private func note(_ text: String) {
        context?.report(.note(interface: name, text))
    }

    /// DCD and DSR follow the backend's connection.
    private func announceState() {
        guard let context, context.isActive else { return }
        let state: SerialState = serialBackend.isConnected ? [.carrier, .dataSetReady] : []
        guard state != announcedState else { return }
        announcedState = state
        context.discard(.notify)
        context.write(
            CDC.serialStateNotification(state, interface: context.firstInterface ?? 0), to: .notify, endOfMessage: true)
    }

    // MARK: Towards the guest

    private func pumpIn() {
        guard !isPumpingIn, let context, context.isActive else { return }
        isPumpingIn = true
        defer { isPumpingIn = false }
        while unsent.readableBytes > 0, context.queuedBytes(.bulkIn) < Self.handOver {
            guard let bytes = unsent.readBytes(length: min(unsent.readableBytes, Self.handOver)) else { break }
            remember(bytes, stillQueued: context.queuedBytes(.bulkIn))
            context.write(bytes, to: .bulkIn, endOfMessage: false)
        }
        unsent.discardReadBytes()
        if unsent.readableBytes + context.queuedBytes(.bulkIn) < Self.unsentLimit { serialBackend.read() }
    }

    /// Keeps `bytes` until the guest has taken them; what it has taken before is forgotten.
    private func remember(_ bytes: [UInt8], stillQueued: Int) {
        while let first = handed.first, handedCount - first.count >= stillQueued {
            handed.removeFirst()
            handedCount -= first.count
        }
        handed.append(bytes)
        handedCount += bytes.count
    }

    /// Takes back what the guest has not taken; it goes out first in the next configuration.
    private func reclaimHanded() {
        let left = min(context?.queuedBytes(.bulkIn) ?? 0, handedCount)
        var skip = handedCount - left
        var kept = ByteBuffer()
        for bytes in handed {
            if skip < bytes.count { kept.writeBytes(bytes[skip...]) }
            skip = max(0, skip - bytes.count)
        }
        handed.removeAll()
        handedCount = 0
        guard kept.readableBytes > 0 else { return }
        kept.writeBuffer(&unsent)
        unsent = kept
    }

    // MARK: From the guest

    private func pumpOut() {
        guard !isPumpingOut, let context else { return }
        isPumpingOut = true
        defer { isPumpingOut = false }
        if serialBackend.isConnected {
            if backlog.readableBytes > 0 {
                serialBackend.write(backlog)
                backlog = ByteBuffer()
            }
            while serialBackend.isConnected, serialBackend.isWritable, let bytes = context.read(.bulkOut) {
                if !bytes.isEmpty { serialBackend.write(ByteBuffer(bytes: bytes)) }
            }
        } else {
            while backlog.readableBytes < Self.backlogLimit, let bytes = context.read(.bulkOut) {
                backlog.writeBytes(bytes)
            }
        }
    }
}

extension SerialFunction: SerialSink {
    func connectionChanged() {
        note(serialBackend.isConnected ? "host side connected" : "host side gone")
        announceState()
        pumpOut()
        pumpIn()
    }

    func received(_ bytes: ByteBuffer) {
        unsent.writeImmutableBuffer(bytes)
    }

    func readCompleted() { pumpIn() }

    func becameWritable() { pumpOut() }

    func troubleChanged(_ trouble: String?) {
        context?.report(.trouble(interface: name, trouble))
    }
}

extension EndpointKey {
    /// Endpoints that serial and Web Service functions share.
    static let bulkIn: EndpointKey = "in"
    static let bulkOut: EndpointKey = "out"
    static let notify: EndpointKey = "notify"
}
