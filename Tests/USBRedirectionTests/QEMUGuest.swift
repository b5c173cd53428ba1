import Foundation
import Logging
import NIOCore
import NIOPosix
import RedirectionTestKit
import TestDirectory
import Testing
import USBCore
import USBDevice
import USBRedirection

@testable import Hypervisor

/// A real QEMU without a kernel, stopped before its first instruction, and a device that it can be given.
///
/// SeaBIOS enumerates USB while it starts, so a device is plugged before `run()`.
final class QEMUGuest {
    static let program = "/usr/bin/qemu-system-x86_64"

    let loop: any EventLoop
    let device: NIOLoopBound<Device>
    let events: EventLog
    private(set) var monitor: QMPClient
    private let directory: TemporaryDirectory
    private let process = Process()
    private let group: MultiThreadedEventLoopGroup

    /// What lives on the event loop.
    final class Device {
        let firmware: any Firmware
        let port: DevicePort
        let listener: RedirectionListener
        let tap: WatchingTap

        init(_ firmware: any Firmware, _ speed: Speed, _ loop: any EventLoop, _ events: EventLog) {
            self.firmware = firmware
            port = DevicePort(firmware: firmware)
            tap = WatchingTap(loop)
            port.tap = tap
            listener = RedirectionListener(
                port: port, speed: speed, eventLoop: loop,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { events.append($0) }
        }
    }

    /// - Parameters:
    ///   - bus: the `-device` options of the controllers.
    ///   - makeFirmware: called on the event loop.
    init(
        _ controllers: [String], speed: Speed, extra: [String] = [],
        makeFirmware: @escaping @Sendable () -> any Firmware = { LoopbackFirmware() }
    ) async throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        self.loop = loop
        let events = EventLog(loop)
        self.events = events
        device = try await loop.submit {
            NIOLoopBound(Device(makeFirmware(), speed, loop, events), eventLoop: loop)
        }.get()
        let device = device
        try await loop.flatSubmit { device.value.listener.listen(unixPath: directory.file("usb")) }.get()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments =
            [
                "-S", "-machine", "pc,usb=off", "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none",
                "-m", "32", "-qmp", "unix:\(directory.file("qmp")),server=on,wait=off",
            ] + controllers.flatMap { ["-device", $0] } + extra
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let messages = directory.file("messages")
        _ = FileManager.default.createFile(atPath: messages, contents: nil)
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: messages))
        try process.run()
        monitor = try await Self.connect(directory.file("qmp"), group)
    }

    /// QEMU gives no sign that its socket is there but the socket.
    private static func connect(_ path: String, _ group: any EventLoopGroup) async throws -> QMPClient {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do {
                return try await QMPClient.connect(socketPath: path, group: group)
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    func plug(bus: String) async throws {
        _ = try await monitor.execute(
            "chardev-add",
            [
                "id": "link",
                "backend": [
                    "type": "socket",
                    "data": [
                        "server": false, "addr": ["type": "unix", "data": ["path": .string(directory.file("usb"))]],
                    ],
                ],
            ])
        _ = try await monitor.execute(
            "device_add", ["driver": "usb-redir", "id": "redir", "bus": .string(bus), "chardev": "link"])
    }

    func run() async throws { _ = try await monitor.execute("cont") }
    func pause() async throws { _ = try await monitor.execute("stop") }

    /// `info usb` prints a detached usb-redir device at low speed.
    static let detached = "Speed 1.5 Mb/s"

    /// What QEMU has written to stderr: warnings of usb-redir are there.
    var messages: String {
        get throws { try String(contentsOfFile: directory.file("messages"), encoding: .utf8) }
    }

    /// `info usb`, polled: QEMU announces no attach.
    func infoUSB(until accepts: (String) -> Bool) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let text = try await monitor.humanMonitor("info usb")
            if accepts(text) || ContinuousClock.now > deadline { return text }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Nothing in it is worth an orderly end.
    private func kill() async {
        await withCheckedContinuation { continuation in
            process.terminationHandler = { _ in continuation.resume() }
            if process.isRunning {
                Foundation.kill(process.processIdentifier, SIGKILL)
            } else {
                process.terminationHandler = nil
                continuation.resume()
            }
        }
    }

    deinit {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
    }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (Device) throws -> Value) async throws -> Value {
        let device = device
        return try await loop.submit { try body(device.value) }.get()
    }

    /// Waits until the tap has seen what `accepts` asks for.
    func watch(_ accepts: @escaping @Sendable (WatchingTap.Seen) -> Bool) async throws {
        let device = device
        try await loop.flatSubmit { device.value.tap.wait(accepts) }.get()
    }

    func end() async throws {
        await monitor.close()
        await kill()
        let device = device
        try await loop.flatSubmit { device.value.listener.close() }.get()
        try await group.shutdownGracefully()
    }
}
