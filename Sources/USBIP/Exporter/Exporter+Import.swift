import Glibc
import NIOCore
import NIOPosix
import USBDevice
import USBIPCodec

/// What became of an OP_REQ_IMPORT.
enum ImportOutcome: Sendable {
    /// The device's own loop has the socket now; the connection's channel is to be closed.
    case served
    /// The connection's channel goes on as one half of a pair.
    case joined
    case refused(OperationStatus, String)
}

extension Exporter {
    /// Gives a device to a connection. Devices live on loops of their own: a plain connection moves there, a TLS
    /// connection stays with its keys where it is and is joined to the device by a pair of sockets.
    ///
    /// To be called on the channel's loop.
    func hand(
        _ channel: any Channel, of listener: ExporterListener, peer: String, asking busID: BusID, unread: ByteBuffer
    ) -> EventLoopFuture<ImportOutcome> {
        let asked = busID.description
        guard let device = state.withLockedValue({ $0.device(asked) }) else {
            return channel.eventLoop.makeSucceededFuture(.refused(.noDevice, "there is no device \(asked)"))
        }
        guard device.isAllowed(channel.remoteAddress) else {
            // To the peer it does not exist, as in the list.
            return channel.eventLoop.makeSucceededFuture(
                .refused(.noDevice, "its address is not in the allowed networks of \(device.name)"))
        }
        let info = ImporterInfo(peer: peer, since: Self.now, listener: listener.address.description)
        do {
            guard listener.tls != nil else {
                let socket = try channel.duplicateSocket()
                return serve(device, busID, unread, info, socket: socket, measuring: nil).hop(to: channel.eventLoop)
            }
            let pair = try Self.socketPair()
            return serve(device, busID, unread, info, socket: pair.0, measuring: channel).hop(to: channel.eventLoop)
                .flatMap { outcome in
                    guard case .served = outcome else {
                        close(pair.1)
                        return channel.eventLoop.makeSucceededFuture(outcome)
                    }
                    return Self.join(channel, pair.1)
                }
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
    }

    /// On the device's loop: takes the device and starts the session. `socket` is closed unless the device is served.
    private func serve(
        _ device: ExportedDevice, _ busID: BusID, _ unread: ByteBuffer, _ info: ImporterInfo, socket: CInt,
        measuring channel: (any Channel)?
    ) -> EventLoopFuture<ImportOutcome> {
        device.eventLoop.submit {
            do {
                return try self.begin(device, busID, unread, info, socket: socket, measuring: channel)
            } catch {
                close(socket)
                return self.refusal(of: device, error)
            }
        }.flatMapErrorThrowing { error in
            // The loop did not run it.
            close(socket)
            throw error
        }
    }

    private func begin(
        _ device: ExportedDevice, _ busID: BusID, _ unread: ByteBuffer, _ info: ImporterInfo, socket: CInt,
        measuring channel: (any Channel)?
    ) throws -> ImportOutcome {
        let limits = settings.limits
        let session = USBIPSession(
            port: device.port.value, deviceID: device.deviceID, speed: device.speed, limits: limits.session,
            firstRequestTimeLimit: limits.firstRequestTimeLimit, logger: logger
        ) { [self] end in
            state.withLockedValue { _ = $0.importers.removeValue(forKey: device.busID) }
            logger.info("USB/IP: \(info.peer) has no longer \(device.name): \(end)")
            report(.importerDetached(busID: device.busID, reason: end.description))
        }
        let bound = NIOLoopBound(session, eventLoop: device.eventLoop)
        let token = try state.withLockedValue {
            try $0.reserve(device, for: info, bound, maximum: limits.maximumImports)
        }
        do {
            try session.connectDevice(
                greeting: { enumeration in
                    // Echoed: the importer compares it with what it asked for.
                    var reply = ByteBuffer()
                    OperationReply.imported(ListedDevice(device, busID: busID, enumeration: enumeration).record)
                        .write(to: &reply)
                    return reply
                }, unread: unread)
        } catch {
            state.withLockedValue { _ = $0.importers.removeValue(forKey: device.busID) }
            throw error
        }
        state.withLockedValue { $0.importers[device.busID]?.channel = channel }
        logger.info("USB/IP: \(info.peer) has \(device.name)")
        report(.importerAttached(busID: device.busID, info))
        ClientBootstrap(group: device.eventLoop)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(low: limits.session.writeBufferLowMark, high: limits.session.writeBufferHighMark)
            )
            // Large reads, and few, so that a large transfer costs one wake-up and devices on one loop take turns.
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 4096, initial: 16384, maximum: SessionLimits.largestRead)
            )
            .channelOption(.maxMessagesPerRead, value: 2)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .withConnectedSocket(socket).whenComplete { [self] result in
                switch result {
                case .success(let own):
                    state.withLockedValue {
                        if $0.importers[device.busID]?.token === token, channel == nil {
                            $0.importers[device.busID]?.channel = own
                        }
                    }
                case .failure(let error): bound.value.release("the connection cannot be served: \(error)")
                }
            }
        return .served
    }

    private func refusal(of device: ExportedDevice, _ error: any Error) -> ImportOutcome {
        switch error {
        case ExporterState.Refusal.unknown: .refused(.noDevice, "there is no device \(device.name)")
        case ExporterState.Refusal.taken(let holder):
            .refused(.notAvailable, "\(device.name) is held by \(holder.peer)")
        case ExporterState.Refusal.tooMany: .refused(.error, "too many imports")
        case DevicePortError.busy: .refused(.notAvailable, "\(device.name): \(DevicePortError.busy)")
        default: .refused(.deviceError, "\(device.name): \(error)")
        }
    }

    // MARK: TLS

    /// Joins a TLS connection to the device's end of a socket pair.
    private static func join(_ outer: any Channel, _ socket: CInt) -> EventLoopFuture<ImportOutcome> {
        let (first, second) = JoinHandler.pair()
        let inner = NIOLoopBound(second, eventLoop: outer.eventLoop)
        do {
            try outer.pipeline.syncOperations.addHandler(first)
        } catch {
            // It has closed meanwhile; the end of the pair tells the session.
            close(socket)
            return outer.eventLoop.makeSucceededFuture(.served)
        }
        return ClientBootstrap(group: outer.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(inner.value) }
            }
            .withConnectedSocket(socket).map { _ in .joined }
    }

    private static func socketPair() throws -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw IOError(errnoCode: errno, reason: "socketpair") }
        return (ends[0], ends[1])
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
