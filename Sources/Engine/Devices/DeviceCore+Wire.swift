import NIOCore
import USBCore
import USBRedirection

/// What a wire must know of the port that the device goes into.
struct WirePort: Sendable {
    var speed: Speed
    /// See `RedirectionSession`: only xHCI treats each bulk IN packet as a transfer of its own.
    var pipelinesBulkIn: Bool
}

extension DeviceCore {
    /// Begins a plug: what earlier wires still say is about an earlier one.
    func begin(generation: Int) { self.generation = generation }

    /// One link at a time: a second one while the first lives is turned away.
    func accept(_ channel: any Channel, for wirePort: WirePort, generation: Int) throws {
        guard generation == self.generation, link?.channel.isActive != true else {
            channel.close(promise: nil)
            return
        }
        let session = RedirectionSession(
            port: port, speed: wirePort.speed, pipelinesBulkIn: wirePort.pipelinesBulkIn, logger: logger
        ) { [weak self] event in
            self?.wire(event, channel: channel)
        }
        link = (channel, session)
        try channel.pipeline.syncOperations.addHandler(session)
    }

    /// Forgets the wire and returns its channels for closing; what they still say is nobody's concern.
    ///
    /// - Parameter generation: nil: whichever it is; else only if it is of this plug.
    func takeWire(of generation: Int?) -> [any Channel] {
        guard generation == nil || generation == self.generation else { return [] }
        let channels = [link?.channel, listener].compactMap { $0 }
        let session = link?.session
        link = nil
        listener = nil
        session?.disconnectDevice()
        port.disconnect()
        return channels
    }

    /// See `RedirectionSession`; zero on any other wire, and on none.
    var timeUntilQuiet: TimeAmount { link?.session.timeUntilQuiet ?? .zero }

    private func wire(_ event: RedirectionEvent, channel: any Channel) {
        guard let link, link.channel === channel else { return }
        switch event {
        case .linkOpened, .helloReceived: break
        case .filterReceived(let rules): logger.info("the VM filters devices: \(rules)")
        case .connected(let speed): signal(.connected(speed))
        case .disconnected: signal(.disconnected)
        case .rejected:
            signal(.rejected("the VM's controller or its device filter does not take it"))
        case .linkClosed(let error):
            self.link = nil
            signal(.linkClosed(Self.reason(error)))
        }
    }

    /// A QEMU that goes with unread bytes resets the connection; that is no failure of the wire.
    private static func reason(_ error: RedirectionError?) -> String {
        switch error {
        case nil: "QEMU closed the wire"
        case .link(let text) where text.contains("reset by peer"): "QEMU closed the wire"
        case .some(let error): "the wire failed: \(error)"
        }
    }
}
