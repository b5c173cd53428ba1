import NIOCore
import USBClasses
import USBCore
import USBDevice

/// A printer (7/1/2, bidirectional) in front of a spool folder or a raw port.
///
/// USB does not tell where a job ends: one ends when the guest has sent nothing for `idleTime`, resets the printer, or
/// lets go of it. While the backend does not keep up the guest is answered NAK, which does not count as silence.
public final class PrinterFunction: Function {
    /// Bytes for the guest above which what the printer says is dropped: hosts that never read must cost nothing.
    static let replyLimit = 65536

    public let name: String
    public let kind = "printer"
    private let printerBackend: any PrinterBackend
    private let eventLoop: any EventLoop
    private let idleTime: TimeAmount
    private var context: (any FunctionContext)?
    private var isInJob = false
    private var hasTrouble = false
    private var isPumping = false
    private var idleTimer: Scheduled<Void>?
    private var lastByte = NIODeadline.now()

    init(name: String, backend: any PrinterBackend, eventLoop: any EventLoop, idleTime: TimeAmount = .seconds(3)) {
        self.name = name
        self.eventLoop = eventLoop
        self.idleTime = idleTime
        printerBackend = backend
        backend.sink = self
    }

    public var backend: String { printerBackend.text }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let code = ClassCode(PrinterClass.interfaceClass, PrinterClass.printers, PrinterClass.bidirectional)
        return FunctionDeclaration(
            classCode: code,
            interfaces: [
                InterfaceDeclaration(
                    classCode: code,
                    endpoints: [
                        EndpointDeclaration(.bulkIn, .in, .bulk), EndpointDeclaration(.bulkOut, .out, .bulk),
                    ])
            ])
    }

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() {}

    public func deactivate() { endJob() }

    public func endpointReady(_ endpoint: EndpointKey) {
        if endpoint == .bulkOut { pump() }
    }

    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard setup.requestType.kind == .class, setup.requestType.recipient == .interface else { return .stall }
        switch (PrinterClass.Request(rawValue: setup.request), setup.direction) {
        case (.getDeviceID, .in):
            return .acknowledge(PrinterClass.deviceID(model: "Printer \(name)", serialNumber: name))
        case (.getPortStatus, .in):
            let status: PrinterClass.PortStatus = hasTrouble ? .selected : [.selected, .notError]
            return .acknowledge([status.rawValue])
        case (.softReset, .out):
            endJob()
            context?.discard(.bulkIn)
            return .acknowledge()
        default:
            return .stall
        }
    }

    public func shutdown() {
        endJob()
        printerBackend.shutdown()
        context = nil
    }

    public func whenDrained(_ body: @escaping () -> Void) { printerBackend.whenDrained(body) }

    // MARK: Inside

    private func pump() {
        guard !isPumping, let context else { return }
        isPumping = true
        defer { isPumping = false }
        while printerBackend.isReady(), let bytes = context.read(.bulkOut) {
            if bytes.isEmpty { continue }
            isInJob = true
            lastByte = .now()
            printerBackend.write(bytes)
        }
        if isInJob, idleTimer == nil { watch(for: idleTime) }
    }

    /// One timer for a job, set anew when it finds that bytes have come since.
    private func watch(for delay: TimeAmount) {
        idleTimer = eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.idle() }
    }

    private func idle() {
        idleTimer = nil
        guard isInJob else { return }
        let rest = lastByte + idleTime - .now()
        if rest > .nanoseconds(0) {
            watch(for: rest)
        } else if !printerBackend.isReady() {
            // It is us whom the job waits for.
            watch(for: idleTime)
        } else {
            endJob()
        }
    }

    private func endJob() {
        idleTimer?.cancel()
        idleTimer = nil
        guard isInJob else { return }
        isInJob = false
        printerBackend.endJob()
    }
}

extension PrinterFunction: PrinterSink {
    func becameReady() {
        // Time that the backend took is not the guest's silence.
        lastByte = .now()
        pump()
    }

    func received(_ bytes: ByteBuffer) {
        guard let context, context.queuedBytes(.bulkIn) + bytes.readableBytes <= Self.replyLimit else { return }
        context.write(Array(bytes.readableBytesView), to: .bulkIn, endOfMessage: true)
    }

    func jobDone(_ text: String) { context?.report(.note(interface: name, "printed to \(text)")) }

    func jobLost(_ reason: String) {
        guard isInJob else { return }
        isInJob = false
        idleTimer?.cancel()
        idleTimer = nil
        troubleChanged(reason)
        context?.halt(.bulkOut)
    }

    func troubleChanged(_ trouble: String?) {
        guard trouble != nil || hasTrouble else { return }
        hasTrouble = trouble != nil
        context?.report(.trouble(interface: name, trouble))
    }
}
