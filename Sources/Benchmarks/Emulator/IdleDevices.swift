import Dispatch
import FirmwareEmulator
import Foundation
import ReferenceFirmware
import USBCore
import USBDevice

/// Many emulated devices that do nothing, each with a main loop that never sleeps, as a host holds them:
/// configured, with a transfer waiting on their IN endpoint. What they cost, and how fast one of them answers.
final class IdleDevices {
    struct Result {
        /// CPU of all devices together, in percent of one core.
        var cores: Double
        /// Milliseconds from giving a device a control request to having its answer.
        var latencies: [Double]
    }

    private let loop = Loop()
    private var hosts: [Host] = []

    /// - Throws: when a device does not come up within ten seconds.
    func run(count: Int, seconds: Double, requests: Int) async throws -> Result {
        let firmware = ReferenceFirmware.serialEchoSTM32F072
        guard let board = Board.named(firmware.board) else {
            throw BenchmarkError.environment("no board \(firmware.board)")
        }
        let image = try ImageLoader.load(firmware.image)
        hosts = try (0..<count).map { try Host(image: image, board: board, identity: UInt64($0), loop: loop) }
        defer { for host in hosts { loop.execute { host.stop() } } }
        for host in hosts { try await host.start() }
        // Long enough for a device to be taken for quiet.
        try await Task.sleep(for: .milliseconds(500))
        let began = Self.processTime()
        let start = ContinuousClock.now
        try await Task.sleep(for: .seconds(seconds))
        let cores = (Self.processTime() - began) / ((ContinuousClock.now - start) / .seconds(1))
        var latencies: [Double] = []
        for index in 0..<requests {
            try Task.checkCancellation()
            latencies.append(try await hosts[index % hosts.count].ask())
            try await Task.sleep(for: .milliseconds(5))
        }
        return Result(cores: cores * 100, latencies: latencies)
    }

    private static func processTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The event loop of all ports.
    final class Loop: LoopExecutor {
        private let queue = DispatchQueue(label: "ports")
        func execute(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }
    }

    /// One device and the host that holds it. All its state belongs to the loop.
    final class Host: TransferHost, @unchecked Sendable {
        private let loop: Loop
        private let device: EmulatedDevice
        private let port: DevicePort
        private var waiting: [TransferID: CheckedContinuation<Double, any Error>] = [:]
        private var began: [TransferID: ContinuousClock.Instant] = [:]
        private var onReady: CheckedContinuation<Void, any Error>?
        private var lastID: UInt64 = 0

        init(image: FirmwareImage, board: Board, identity: UInt64, loop: Loop) throws {
            self.loop = loop
            device = try EmulatedDevice(image: image, board: board, identity: identity, executor: loop)
            port = DevicePort(firmware: device)
        }

        func start() async throws {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                loop.execute { [self] in
                    onReady = continuation
                    device.onEvent = { [weak self] event in if case .enumerated = event { self?.ready() } }
                    device.start()
                    DispatchQueue.global().asyncAfter(deadline: .now() + 10) { [self] in
                        loop.execute { [self] in
                            onReady?.resume(throwing: BenchmarkError.environment("an emulated device did not come up"))
                            onReady = nil
                        }
                    }
                }
            }
            let configure = SetupPacket(requestType: RequestType(.out, .standard, .device), request: 9, value: 1)
            _ = try await send { .control($0, configure) }
            loop.execute { [self] in port.submit(.in(nextID(), 1, length: 512)) }
        }

        private func ready() {
            guard let continuation = onReady else { return }
            onReady = nil
            do {
                try port.connect(to: self, speed: .full)
                continuation.resume()
            } catch { continuation.resume(throwing: error) }
        }

        func stop() {
            device.shutdown()
            for continuation in waiting.values { continuation.resume(throwing: CancellationError()) }
            waiting = [:]
        }

        /// GET_STATUS of the device, in milliseconds.
        func ask() async throws -> Double {
            let status = SetupPacket(requestType: RequestType(.in, .standard, .device), request: 0, length: 2)
            return try await send { .control($0, status) }
        }

        private func nextID() -> TransferID {
            lastID = (lastID + 1) % 4096
            return TransferID(lastID)
        }

        private func send(_ make: @escaping @Sendable (TransferID) -> Transfer) async throws -> Double {
            try await withCheckedThrowingContinuation { continuation in
                let start = ContinuousClock.now
                loop.execute { [self] in
                    let id = nextID()
                    waiting[id] = continuation
                    began[id] = start
                    port.submit(make(id))
                }
            }
        }

        func port(_ port: DevicePort, completed completion: TransferCompletion) {
            guard let continuation = waiting.removeValue(forKey: completion.id),
                let start = began.removeValue(forKey: completion.id)
            else { return }
            guard completion.status == .success else {
                return continuation.resume(
                    throwing: BenchmarkError.environment("an emulated device answered \(completion.status)"))
            }
            continuation.resume(returning: (ContinuousClock.now - start) / .milliseconds(1))
        }

        func portWantsReconnect(_ port: DevicePort) {}
    }
}
