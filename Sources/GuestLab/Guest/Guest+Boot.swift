import Foundation
import NIOCore

extension Guest {
    /// Boots a guest and returns when its user space is ready for commands; leaves nothing behind when it fails.
    public static func boot(_ configuration: GuestConfiguration) async throws -> Guest {
        try configuration.validate()
        let choice: AcceleratorChoice
        if let asked = configuration.accelerator {
            choice = AcceleratorChoice(accelerator: asked, reason: "\(asked.rawValue.uppercased()): asked for")
        } else {
            choice = try await AcceleratorProbe(image: configuration.image).choose()
        }
        let paths = try GuestPaths.make(name: configuration.name, qmpDirectory: configuration.qmpDirectory)
        let log = KernelLog()
        let commands = CommandChannel(guestName: configuration.name)
        let monitor = GuestMonitor()
        var listeners: [LabListener] = []
        let process: ChildProcess
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let initramfs = try writeInitramfs(configuration, to: paths.initramfs)
            listeners.append(try await listen(for: monitor, at: paths.monitor))
            listeners.append(try await listen(for: commands, at: paths.command))
            process = try await startQEMU(
                QEMUCommandLine.arguments(
                    for: try configuration.withEnoughMemory(initramfs: initramfs), paths: paths,
                    accelerator: choice.accelerator, initramfs: initramfs),
                log: log, errorLog: paths.errorLog)
        } catch {
            listeners.forEach { $0.close() }
            paths.remove()
            throw error
        }

        let parts = GuestParts(paths: paths, log: log, commands: commands, monitor: monitor, process: process)
        let opened = listeners
        let cleanup = Task.detached {
            let status = await process.exit()
            let error = LabError.guestEnded(
                name: configuration.name, status: status.description, detail: lastWords(of: parts))
            opened.forEach { $0.close(error) }
            log.end(error)
            commands.end(error)
            monitor.end(error)
            paths.remove()
        }
        do {
            for listener in listeners { _ = try await listener.accept() }
            try await monitor.greeted.value(within: configuration.bootTimeout) {
                LabError.timeout(waitingFor: "QMP greeting", after: configuration.bootTimeout, detail: "")
            }
            try await monitor.execute("qmp_capabilities")
            let release = try await commands.ready.value(within: configuration.bootTimeout) {
                LabError.timeout(
                    waitingFor: "ready message of guest \(configuration.name)", after: configuration.bootTimeout,
                    detail: log.lastLine)
            }
            return Guest(
                name: configuration.name, kernelRelease: release, accelerator: choice,
                bootDuration: clock.now - start, parts: parts, cleanup: cleanup)
        } catch {
            process.kill()
            await cleanup.value
            throw error
        }
    }

    /// The base initramfs, or a copy with the caller's files in a second archive: the kernel unpacks all it finds.
    private static func writeInitramfs(_ configuration: GuestConfiguration, to path: String) throws -> String {
        guard !configuration.extraFiles.isEmpty else { return configuration.image.initramfsPath }
        var writer = CPIOWriter()
        for file in configuration.extraFiles { try writer.add(file.entry()) }
        try FileManager.default.copyItem(atPath: configuration.image.initramfsPath, toPath: path)
        try writer.finish().append(toFile: path)
        return path
    }

    private static func startQEMU(_ arguments: [String], log: KernelLog, errorLog: String) async throws -> ChildProcess
    {
        guard let program = HostTool.path(of: QEMUCommandLine.program) else {
            throw LabError.missingPackages(["qemu-system-x86"])
        }
        var launch = ChildLaunch(executable: program, arguments: arguments)
        launch.standardError = .file(errorLog)
        launch.ownProcessGroup = true
        return try await ChildProcess.start(launch) { log.append($0) }
    }

    private static func listen(for monitor: GuestMonitor, at path: String) async throws -> LabListener {
        try await LabListener.listen(on: path) { channel in
            try channel.pipeline.syncOperations.addHandlers(
                ByteToMessageHandler(QMPLineDecoder()),
                MessageHandler<ByteBuffer>(
                    onMessage: { monitor.handle($0) }, onError: { monitor.end($0) }))
            monitor.attach(channel)
        }
    }

    private static func listen(for commands: CommandChannel, at path: String) async throws -> LabListener {
        try await LabListener.listen(on: path) { channel in
            try channel.pipeline.syncOperations.addHandlers(
                ByteToMessageHandler(AgentReplyDecoder()),
                MessageHandler<AgentReply>(
                    onMessage: { commands.handle($0) }, onError: { commands.end($0) }))
            commands.attach(channel)
        }
    }

    /// QEMU's complaint if it made one, else the kernel's last lines.
    private static func lastWords(of parts: GuestParts) -> String {
        let complaint = (try? String(contentsOfFile: parts.paths.errorLog, encoding: .utf8)) ?? ""
        let lines = complaint.split(separator: "\n").map(String.init)
        return (lines.isEmpty ? parts.log.lines() : lines).suffix(3).joined(separator: "; ")
    }
}
