import FirmwareEmulator
import NIOCore
import NIOPosix
import USBDevice

/// An image on its board without an engine: what `2virt firmware run` shows, with a port for a debugger.
public final class FirmwareRun: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let port: NIOLoopBound<DevicePort>
    private let device: NIOLoopBound<EmulatedDevice>
    private let debugger: DebuggerServer?
    /// Where GDB is listened for; nil when it is not.
    public var debuggerPort: Int? { debugger?.port }

    /// Powers the board on.
    ///
    /// - Parameters:
    ///   - debuggerPort: nil: no debugger; 0: the system chooses.
    ///   - tell: a line for each thing that happens; called on the device's loop.
    public init(
        image: FirmwareImage, board: Board, debuggerPort: Int?, tell: @escaping @Sendable (String) -> Void
    ) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        (device, port) = try await loop.submit {
            let device = try EmulatedDevice(
                image: image, board: board, identity: 1, executor: EventLoopExecutor(eventLoop: loop))
            device.onEvent = { Self.line($0).map(tell) }
            let port = DevicePort(firmware: device)
            return (NIOLoopBound(device, eventLoop: loop), NIOLoopBound(port, eventLoop: loop))
        }.get()
        if let debuggerPort {
            debugger = try await DebuggerServer.listen(device, port: debuggerPort, on: loop)
        } else {
            debugger = nil
        }
        let device = device
        guard try await loop.submit({ device.value.start() }).get() else { throw EmulatedFirmwareError.noThread }
    }

    /// How it is doing, and what its serial ports have said; nil when it has ended.
    public func status() async -> EmulatorStatus? {
        let device = device
        return try? await group.next().submit { device.value.status }.get()
    }

    public func end() async throws {
        await debugger?.close()
        let device = device
        try await group.next().submit { device.value.shutdown() }.get()
        try await group.shutdownGracefully()
    }

    /// Nil for what is not told as a line.
    private static func line(_ event: EmulatedDeviceEvent) -> String? {
        switch event {
        case .enumerated(let device): "enumerated:\n\(device.listing)"
        case .detached: "the device left the bus"
        case .unusable(let reason): "the device does not enumerate: \(reason)"
        case .faulted(let report): "the firmware crashed: \(report)"
        case .reset: "the chip was reset"
        case .diagnostic(let diagnostic): "\(diagnostic)"
        case .flashChanged: "the flash has changed"
        case .remoteWakeUp: "remote wake-up"
        case .serial, .serialTaken: nil
        }
    }
}
