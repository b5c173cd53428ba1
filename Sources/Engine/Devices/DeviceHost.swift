import ControlProtocol
import Foundation
import Logging
import NIOCore
import NIOPosix
import SimulatedFirmware
import USBCore
import USBDevice
import USBIP
import USBRedirection

/// One simulated device on its event loop, and the way to it from everywhere else.
///
/// Everything behind `core` lives on `eventLoop`; nothing here blocks it.
final class DeviceHost: Sendable {
    let name: String
    let speeds: Set<Speed>
    /// Time that a device that ends has to hand over what its guest gave it: a slow disk or printer must not keep the
    /// engine for ever.
    private static let drainTime = TimeAmount.seconds(10)
    private let eventLoop: any EventLoop
    private let core: NIOLoopBound<DeviceCore>

    private init(name: String, speeds: Set<Speed>, eventLoop: any EventLoop, core: NIOLoopBound<DeviceCore>) {
        self.name = name
        self.speeds = speeds
        self.eventLoop = eventLoop
        self.core = core
    }

    /// Makes the device and opens its backends.
    ///
    /// - Throws: the reason a backend cannot be opened, naming it.
    static func make(
        _ configuration: DeviceConfiguration, on eventLoop: any EventLoop,
        networks: Networks, signals: SignalInbox, logger: Logger
    ) async throws -> DeviceHost {
        let host = try await eventLoop.submit {
            let core = try DeviceCore(
                configuration, eventLoop: eventLoop, networks: networks, signals: signals, logger: logger)
            return DeviceHost(
                name: configuration.name, speeds: core.port.firmware.speeds, eventLoop: eventLoop,
                core: NIOLoopBound(core, eventLoop: eventLoop))
        }.get()
        // An emulated device can be announced only when its firmware has enumerated.
        let core = host.core
        do {
            try await eventLoop.flatSubmit { core.value.behaviour.whenReady(on: eventLoop) }.get()
            if case .emulated(_, _, _, let gdb?, _) = configuration.behaviour {
                try await host.listenForDebugger(on: gdb)
            }
        } catch {
            await host.shutdown()
            throw error
        }
        return host
    }

    private func listenForDebugger(on port: Int) async throws {
        let core = core
        guard
            let device = await onLoop({ core in core.emulated.map { NIOLoopBound($0, eventLoop: self.eventLoop) } })
                ?? nil
        else { return }
        let debugger = try await DebuggerServer.listen(device, port: port, on: eventLoop)
        try await eventLoop.submit { core.value.debugger = debugger }.get()
    }

    static func identity(of configuration: DeviceConfiguration) -> DeviceIdentity {
        var identity = DeviceIdentity(
            product: configuration.product ?? configuration.name,
            serialNumber: configuration.serialNumber ?? configuration.name)
        if let id = configuration.idVendor { identity.idVendor = id }
        if let id = configuration.idProduct { identity.idProduct = id }
        return identity
    }

    func report() async -> DeviceReport { await onLoop { $0.report() } ?? DeviceReport() }

    func traffic(interface: String?, after sequence: UInt64) async -> TrafficView? {
        await onLoop { $0.traffic(interface: interface, after: sequence) } ?? nil
    }

    /// The device as the exporter takes it; what it says from now on is about this plug.
    func exported(as number: UInt16, allow: [CIDR], generation: Int) async -> ExportedDevice? {
        let (name, eventLoop, core) = (name, eventLoop, core)
        return try? await eventLoop.submit {
            // A later plug may have begun before this was its turn.
            if generation > core.value.generation { core.value.begin(generation: generation) }
            return ExportedDevice(
                name: name, deviceNumber: number, eventLoop: eventLoop,
                port: NIOLoopBound(core.value.port, eventLoop: eventLoop), speed: Self.exportSpeed(core.value),
                allow: allow)
        }.get()
    }

    /// High speed where the device has it: clients and guests of every age know it.
    private static func exportSpeed(_ core: DeviceCore) -> Speed {
        let speeds = core.port.firmware.speeds
        return speeds.contains(.high) ? .high : speeds.max() ?? .high
    }

    func setButton(_ button: String, pressed: Bool) async {
        await onLoop { $0.emulated?.setButton(button, pressed: pressed) }
    }

    func resetChip() async {
        await onLoop { $0.emulated?.resetChip() }
    }

    func setGate(_ gate: Gate, of interface: String) async {
        await onLoop { _ = $0.simulated?.setGate(gate, of: interface) }
    }

    /// Gives the guest exactly these services through an interface that takes services.
    func give(_ services: [ServiceDeclaration], through interface: String) async {
        await onLoop { core in
            let function = core.simulated?.functions.first { $0.name == interface }
            (function as? WebServiceFunction)?.give(services)
        }
    }

    /// Has a keyboard do something, and waits until its guest has taken all of it.
    ///
    /// - Returns: why not, or nil.
    func useKeyboard(
        _ interface: String,
        _ body: @escaping @Sendable (KeyboardFunction, @escaping (Bool) -> Void) throws -> Void
    ) async -> String? {
        let (eventLoop, core) = (eventLoop, core)
        do {
            let isTaken = try await eventLoop.flatSubmit { () -> EventLoopFuture<Bool> in
                let promise = eventLoop.makePromise(of: Bool.self)
                let function = core.value.simulated?.functions.first { $0.name == interface }
                guard let keyboard = function as? KeyboardFunction else {
                    return eventLoop.makeSucceededFuture(false)
                }
                do {
                    try body(keyboard) { promise.succeed($0) }
                } catch {
                    promise.fail(error)
                }
                return promise.futureResult
            }.get()
            return isTaken ? nil : "the guest left before all was typed"
        } catch {
            return "\(error)"
        }
    }

    /// Listens for QEMU at `path` and serves the first link; an earlier wire is closed.
    func listen(at path: String, for port: WirePort, generation: Int) async throws {
        await closeWire()
        let (core, limits) = (core, RedirectionLimits())
        await onLoop { $0.begin(generation: generation) }
        let channel = try await ServerBootstrap(group: eventLoop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try core.value.accept(channel, for: port, generation: generation)
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: false)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: limits.writeBufferLowMark, high: limits.writeBufferHighMark)
            )
            // Several reads a cycle, so that a large transfer costs one wake-up.
            .childChannelOption(.maxMessagesPerRead, value: 8)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        let isWanted = await onLoop { core in
            guard core.generation == generation else { return false }
            core.listener = channel
            return true
        }
        guard isWanted == true else {
            try? await channel.close()
            throw WireSuperseded()
        }
    }

    /// Returns when a device in a VM can leave without its guest waiting for an answer: `ControlQuiet.longestWait` from
    /// now at the latest, and at once when it is in none.
    func whenQuiet() async {
        let limit = NIODeadline.now() + ControlQuiet.longestWait
        while let pause = await onLoop({ $0.timeUntilQuiet }), pause > .zero, NIODeadline.now() < limit {
            // Cut short, it is only asked again.
            try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
            if Task.isCancelled { return }
        }
    }

    /// Takes the device off its wire: the guest, if it still has it, sees a disconnect.
    ///
    /// - Parameter generation: only the wire of this plug; nil: whichever there is.
    func closeWire(of generation: Int? = nil) async {
        let channels = await onLoop { $0.takeWire(of: generation) } ?? []
        for channel in channels {
            let path = channel.parent == nil ? channel.localAddress?.pathname : nil
            // Closing what the peer has closed already is the wanted state.
            try? await channel.close()
            if let path { unlink(path) }
        }
    }

    /// Ends the device, and waits a while for what its guest has given it to be where it belongs.
    ///
    /// - Returns: false when that took too long; what is not there yet is lost when the event loop ends.
    @discardableResult
    func shutdown() async -> Bool {
        await closeWire()
        if let debugger = await onLoop({ $0.debugger }) ?? nil { await debugger.close() }
        let (eventLoop, core) = (eventLoop, core)
        let isDrained = try? await eventLoop.flatSubmit { () -> EventLoopFuture<Bool> in
            let promise = eventLoop.makePromise(of: Bool.self)
            let limit = eventLoop.scheduleTask(in: Self.drainTime) { promise.succeed(false) }
            core.value.shutdown()
            core.value.whenDrained {
                limit.cancel()
                promise.succeed(true)
            }
            return promise.futureResult
        }.get()
        return isDrained ?? true
    }

    /// - Returns: nil when the loop has ended.
    @discardableResult
    private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (DeviceCore) -> Value) async -> Value? {
        let core = core
        return try? await eventLoop.submit { body(core.value) }.get()
    }
}

/// A later plug has taken the device while its wire was being made.
struct WireSuperseded: Error, CustomStringConvertible {
    var description: String { "another command took the device meanwhile" }
}
