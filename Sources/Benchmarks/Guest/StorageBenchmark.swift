import Foundation
import GuestLab

/// A disk of ours over usbredir and QEMU's usb-storage in one guest, on one image, used alternately.
public struct StorageBenchmark: Sendable {
    public let repetitions: Int

    private static let peerName = "QEMU usb-storage"
    private static let peerSerial = "bench-peer"
    private static let imageLength = 64 << 20

    /// One kind of request.
    private struct Case {
        var name: String
        var blockLength: Int
        var count: Int
        var isWrite: Bool

        /// A second or so of each under emulation.
        static let all = [
            Case(name: "read-64k", blockLength: 65536, count: 800, isWrite: false),
            Case(name: "write-64k", blockLength: 65536, count: 800, isWrite: true),
            Case(name: "read-4k", blockLength: 4096, count: 2000, isWrite: false),
            Case(name: "write-4k", blockLength: 4096, count: 2000, isWrite: true),
        ]

        /// Past the guest's page cache; a write ends with a flush.
        func command(_ disk: String) -> String {
            let size = "bs=\(blockLength) count=\(count)"
            return isWrite
                ? "dd if=/dev/zero of=\(disk) \(size) oflag=direct conv=notrunc,fsync status=none"
                : "dd if=\(disk) of=/dev/null \(size) iflag=direct status=none"
        }
    }

    public init(repetitions: Int) {
        self.repetitions = max(1, repetitions)
    }

    public func run(progress: @escaping @Sendable (String) -> Void) async throws -> [BenchmarkResult] {
        let directory = try ScratchDirectory("2virt-bench-disk")
        do {
            let results = try await run(in: directory.path, progress)
            try directory.remove()
            return results
        } catch {
            // What ended the run is worth more than what its cleaning up would say.
            try? directory.remove()
            throw error
        }
    }

    private func run(in directory: String, _ progress: @escaping @Sendable (String) -> Void) async throws
        -> [BenchmarkResult]
    {
        let image = directory + "/disk.img"
        // Every block is there: reading holes would be another thing.
        guard FileManager.default.createFile(atPath: image, contents: Data(repeating: 0x5A, count: Self.imageLength))
        else { throw BenchmarkError.environment("cannot write an image of \(Self.imageLength) bytes to \(image)") }
        let site = try await GuestSite.start(
            interface: "{ kind = \"storage\", name = \"disk\", image = \"\(image)\", mode = \"direct\" }",
            speed: "super", progress: progress
        ) { configuration in
            // What is written is in the host's page cache, and flushed when the guest asks: as ours.
            configuration.extraArguments = [
                "-drive", "if=none,id=bench-drive,format=raw,cache=writeback,file.locking=off,file=\(image)",
                "-device", "usb-storage,bus=xhci.0,drive=bench-drive,serial=\(Self.peerSerial)",
            ]
        }
        do {
            let results = try await measure(site, progress)
            try await site.stop()
            return results
        } catch {
            try? await site.stop()
            throw error
        }
    }

    private func measure(
        _ site: GuestSite, _ progress: @Sendable (String) -> Void
    ) async throws -> [BenchmarkResult] {
        try await site.plug()
        let ours = try await disk(GuestSite.device, site.guest)
        let peer = try await disk(Self.peerSerial, site.guest)
        var results: [BenchmarkResult] = []
        for test in Case.all {
            var rates = (ours: [Double](), peer: [Double]())
            for repetition in 0..<repetitions {
                progress("\(test.name), round \(repetition + 1) of \(repetitions)")
                rates.ours.append(try await rate(test, ours, site.guest))
                rates.peer.append(try await rate(test, peer, site.guest))
            }
            results.append(
                try BenchmarkResult(
                    name: test.name, ours: Statistics.median(rates.ours) ?? 0, peer: Statistics.median(rates.peer) ?? 0,
                    peerName: Self.peerName, unit: "MB/s", higherIsBetter: true))
        }
        return results
    }

    /// The block device of a USB device, once the guest has it.
    private func disk(_ serial: String, _ guest: Guest) async throws -> String {
        try await guest.check(
            """
            tries=0
            while [ $tries -lt 300 ]; do
                place=$(grep -lx \(serial) /sys/bus/usb/devices/*/serial)
                disk=$(ls -d ${place%/serial}/*/host*/target*/*/block/* 2>/dev/null)
                [ -n "$place" ] && [ -n "$disk" ] && [ -b /dev/${disk##*/} ] && echo /dev/${disk##*/} && exit 0
                tries=$((tries + 1))
                usleep 100000
            done
            echo "no disk \(serial)"
            exit 1
            """, timeout: .seconds(60))
    }

    /// Megabytes a second.
    private func rate(_ test: Case, _ disk: String, _ guest: Guest) async throws -> Double {
        try Task.checkCancellation()
        let clock = ContinuousClock()
        let start = clock.now
        try await guest.check(test.command(disk), timeout: .seconds(180))
        return Double(test.blockLength * test.count) / 1e6 / ((clock.now - start) / .seconds(1))
    }
}
