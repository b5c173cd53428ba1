import Foundation

/// Finds the best accelerator that really boots a guest, and remembers it until host, QEMU or guest change.
///
/// That `/dev/kvm` can be opened proves nothing: under some nested hypervisors a kernel then never prints a line.
public struct AcceleratorProbe: Sendable {
    private let image: GuestImage
    private let cacheDirectory: String

    /// A kernel under KVM prints within tenths of a second; silence for this long is decisive.
    private static let silenceLimit = Duration.seconds(3)
    private static let bootLimit = Duration.seconds(20)
    private static let device = "/dev/kvm"

    public init(image: GuestImage, cacheDirectory: String = LabCache.defaultDirectory) {
        self.image = image
        self.cacheDirectory = cacheDirectory
    }

    /// The accelerator to use; probes at most once for all guests that ask at the same time.
    public func choose() async throws -> AcceleratorChoice {
        guard access(Self.device, F_OK) == 0 else {
            return AcceleratorChoice(accelerator: .tcg, reason: "TCG: this host has no \(Self.device)")
        }
        guard access(Self.device, R_OK | W_OK) == 0 else {
            return AcceleratorChoice(
                accelerator: .tcg, reason: "TCG: no permission to open \(Self.device); add the user to its group")
        }
        try LabCache.create(cacheDirectory)
        let file = "\(cacheDirectory)/accelerator.json"
        let lock = try await FileLock.lock("\(cacheDirectory)/accelerator.lock") {}
        let conditions = try await currentConditions()
        if let known = ProbeRecord.choice(in: FileManager.default.contents(atPath: file), under: conditions) {
            return known
        }
        let choice = try await probe(.kvm).choice
        let record = try JSONEncoder().encode(ProbeRecord(conditions: conditions, choice: choice))
        try record.write(to: URL(fileURLWithPath: file), options: .atomic)
        _ = consume lock
        return choice
    }

    private func currentConditions() async throws -> [String] {
        let version = try await HostTool.run(QEMUCommandLine.program, ["--version"]).split(separator: "\n").first
        let bootID = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return [
            String(version ?? ""), (image.directory as NSString).lastPathComponent,
            bootID.trimmingCharacters(in: .whitespacesAndNewlines),
        ]
    }

    /// Boots the image to its first user-space line under an accelerator.
    func probe(_ accelerator: Accelerator) async throws -> ProbeOutcome {
        guard let program = HostTool.path(of: QEMUCommandLine.program) else {
            throw LabError.missingPackages(["qemu-system-x86"])
        }
        let directory = try ScratchDirectory("2virt-probe").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var launch = ChildLaunch(
            executable: program,
            arguments: QEMUCommandLine.base(
                image: image, initramfs: image.initramfsPath, memoryMiB: 256, accelerator: accelerator,
                kernel: [GuestScripts.probeArgument]) + ["-serial", "stdio"])
        launch.standardError = .file("\(directory)/errors")
        launch.ownProcessGroup = true

        let clock = ContinuousClock()
        let start = clock.now
        let log = KernelLog()
        let child = try await ChildProcess.start(launch) { log.append($0) }
        let watcher = Task {
            let status = await child.exit()
            log.end(.guestEnded(name: "probe", status: status.description, detail: ""))
        }
        let outcome: ProbeOutcome
        do {
            _ = try await log.wait(since: .start, timeout: Self.silenceLimit, for: "any") { _ in true }
            _ = try await log.wait(since: .start, timeout: Self.bootLimit, for: "marker") {
                $0.contains(GuestScripts.marker)
            }
            outcome = .booted(in: clock.now - start)
        } catch LabError.timeout {
            let line = log.lastLine
            outcome =
                line.isEmpty
                ? .silent(for: clock.now - start) : .stuck(for: clock.now - start, lastLine: line)
        } catch LabError.guestEnded(_, let status, _) {
            let errors = (try? String(contentsOfFile: "\(directory)/errors", encoding: .utf8)) ?? ""
            outcome = .ended("\(status): \(HostTool.lastLines(of: errors))")
        } catch {
            child.kill()
            await watcher.value
            throw error
        }
        child.kill()
        await watcher.value
        return outcome
    }
}
