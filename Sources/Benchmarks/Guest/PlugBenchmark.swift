import Foundation
import GuestLab

/// How long a guest takes to see our device come and go, beside QEMU's own keyboard in the same port of the same guest.
///
/// Both are high-speed devices with three strings. Times run from the command to the line of the guest's kernel log:
/// debounce, reset and enumeration by the guest are in both.
public struct PlugBenchmark: Sendable {
    public let repetitions: Int

    public init(repetitions: Int) {
        self.repetitions = max(1, repetitions)
    }

    /// Milliseconds from the command.
    struct Times: Sendable {
        var found: [Double] = []
        var configured: [Double] = []
        var gone: [Double] = []
    }

    public func run(progress: @escaping @Sendable (String) -> Void) async throws -> [BenchmarkResult] {
        let site = try await GuestSite.start(
            interface: "{ kind = \"serial\", name = \"tty\", to = \"pty\" }", progress: progress)
        do {
            let results = try await measure(site, progress)
            try await site.stop()
            return results
        } catch {
            // What ended the run is worth more than what its cleaning up would say.
            try? await site.stop()
            throw error
        }
    }

    private func measure(
        _ site: GuestSite, _ progress: @Sendable (String) -> Void
    ) async throws -> [BenchmarkResult] {
        // usbcore then says when it has set the configuration, whatever driver comes after.
        try await site.guest.check(
            "echo 'module usbcore func usb_set_configuration +p' >/proc/dynamic_debug/control && dmesg -n 8")
        var times: [PluggedDevice: Times] = [:]
        // The first round of each loads its driver in the guest and does not count.
        for repetition in 0...repetitions {
            progress("plug and unplug, round \(repetition + 1) of \(repetitions + 1)")
            for device in repetition.isMultiple(of: 2) ? PluggedDevice.allCases : PluggedDevice.allCases.reversed() {
                try Task.checkCancellation()
                var measured = times[device] ?? Times()
                try await round(device, site, &measured)
                if repetition > 0 { times[device] = measured }
            }
        }
        let parts: [(String, KeyPath<Times, [Double]>)] = [
            ("plug-to-found", \.found), ("plug-to-configured", \.configured), ("unplug-to-disconnect", \.gone),
        ]
        return try parts.map { name, part in
            let medians = times.mapValues { Statistics.median($0[keyPath: part]) ?? 0 }
            return try BenchmarkResult(
                name: name, ours: medians[.ours] ?? 0, peer: medians[.qemuKeyboard] ?? 0,
                peerName: PluggedDevice.qemuKeyboard.rawValue, unit: "ms", higherIsBetter: false)
        }
    }

    /// Plugs, waits for the driver, unplugs.
    private func round(_ device: PluggedDevice, _ site: GuestSite, _ times: inout Times) async throws {
        try await settle(site.guest)
        let guest = site.guest
        let clock = ContinuousClock()
        let mark = guest.kernelLogMark
        let plugged = clock.now
        async let plug: Void = device.plug(site)
        try await guest.waitForKernelLog(containing: "New USB device found", since: mark)
        times.found.append(milliseconds(clock.now - plugged))
        try await guest.waitForKernelLog(since: mark) { $0.contains("adding ") && $0.contains("interface 0)") }
        times.configured.append(milliseconds(clock.now - plugged))
        try await plug
        // A device that goes while it is being enumerated is another case, and a slow one.
        try await guest.waitForKernelLog(containing: device.driverLine, since: mark)
        try await settle(guest)

        let second = guest.kernelLogMark
        let unplugged = clock.now
        async let unplug: Void = device.unplug(site)
        try await guest.waitForKernelLog(containing: "USB disconnect", since: second)
        times.gone.append(milliseconds(clock.now - unplugged))
        try await unplug
    }

    /// Returns when the guest has no hot-plug helper at work.
    private func settle(_ guest: Guest) async throws {
        try await guest.check("while pidof modprobe hotplug >/dev/null; do usleep 10000; done")
    }

    private func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }
}
