import Dispatch
import FirmwareTestKit
import Synchronization
import Testing
import USBCore
import USBDevice

@testable import FirmwareEmulator

/// An emulated device behind a real port, with its thread: a dispatch queue is the event loop.
@Suite struct EmulatedDeviceTests {
    final class Loop: LoopExecutor {
        let queue = DispatchQueue(label: "loop")
        func execute(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }
    }

    /// A host that remembers completions. Everything is on the loop.
    final class Host: TransferHost, @unchecked Sendable {
        var completions: [TransferCompletion] = []
        var reconnects = 0
        /// How often the firmware was not on the bus when it was to be connected again.
        var absences = 0
        var waiters: [(condition: (Host) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []

        func port(_ port: DevicePort, completed completion: TransferCompletion) {
            completions.append(completion)
            look()
        }

        /// As a wire does: out, and in again when it is there.
        func portWantsReconnect(_ port: DevicePort) {
            port.disconnect()
            do {
                try port.connect(to: self, speed: .full)
                reconnects += 1
            } catch {
                #expect(error == .absent)
                absences += 1
                port.awaitAttachment(for: self)
            }
            look()
        }

        func look() {
            let ready = waiters.filter { $0.condition(self) }
            waiters.removeAll { $0.condition(self) }
            for waiter in ready { waiter.continuation.resume() }
        }
    }

    /// All that lives on the loop.
    final class Bench: @unchecked Sendable {
        let loop = Loop()
        let host = Host()
        let device: EmulatedDevice
        let port: DevicePort
        var products: [UInt16] = []

        init(_ target: FirmwareBuilder.Target = .f072) throws {
            let board = try #require(Board.named(target.board))
            device = try EmulatedDevice(
                image: try FirmwareBuilder.vendor(target), board: board, identity: 7, executor: loop)
            port = DevicePort(firmware: device)
        }

        func on(_ body: @escaping @Sendable (Bench) -> Void) { loop.queue.async { body(self) } }

        func wait(_ condition: @escaping @Sendable (Bench) -> Bool) async {
            await withCheckedContinuation { continuation in
                loop.queue.async {
                    self.host.waiters.append(({ _ in condition(self) }, continuation))
                    self.host.look()
                }
            }
        }

        func start() async {
            on { bench in
                bench.device.onEvent = { [unowned bench] event in
                    if case .enumerated(let device) = event {
                        bench.products.append(device.enumeration.device.idProduct)
                    }
                    bench.host.look()
                }
                bench.device.start()
            }
            await wait { !$0.products.isEmpty }
        }

        func stop() async {
            await withCheckedContinuation { continuation in
                loop.queue.async {
                    self.device.shutdown()
                    continuation.resume()
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(2))) func transfersCompleteOnceThroughTheThread() async throws {
        let bench = try Bench()
        await bench.start()
        bench.on { bench in
            #expect(bench.device.enumeration(at: .full).device.idProduct == 1)
            try? bench.port.connect(to: bench.host, speed: .full)
            bench.port.submit(.control(1, RealImageTests.configure))
            for id in 2..<52 {
                bench.port.submit(.out(TransferID(id), 1, data: [UInt8](repeating: UInt8(id), count: 64)))
            }
            for id in 52..<102 { bench.port.submit(.in(TransferID(id), 1, length: 64)) }
        }
        await bench.wait { $0.host.completions.count == 101 }
        bench.on { bench in
            #expect(Set(bench.host.completions.map(\.id)).count == 101)
            #expect(bench.host.completions.allSatisfy { $0.status == .success })
            let echoed = bench.host.completions.filter { $0.endpoint.direction == .in }.map { $0.data.first }
            #expect(echoed == (2..<52).map { UInt8($0) })
            #expect(bench.port.pendingCount == 0)
        }
        await bench.stop()
    }

    @Test(.timeLimit(.minutes(2))) func unplugEndsWhatIsParkedAndThePlugWorksAgain() async throws {
        let bench = try Bench(.f103)
        await bench.start()
        for round in 0..<3 {
            bench.on { bench in
                bench.host.completions = []
                try? bench.port.connect(to: bench.host, speed: .full)
                bench.port.submit(.control(1, RealImageTests.configure))
                bench.port.submit(.in(2, 1, length: 64))
            }
            await bench.wait { !$0.host.completions.isEmpty }
            bench.on { bench in
                #expect(bench.host.completions.map(\.status) == [.success], "round \(round)")
                bench.port.disconnect()
                #expect(bench.host.completions.map(\.status) == [.success, .noDevice])
            }
        }
        await bench.stop()
    }

    @Test(.timeLimit(.minutes(2))) func newIdentityAsksTheWireToReconnect() async throws {
        let bench = try Bench()
        await bench.start()
        bench.on { bench in
            try? bench.port.connect(to: bench.host, speed: .full)
            bench.port.submit(.control(1, RealImageTests.configure))
            bench.port.submit(.control(2, SetupPacket(requestType: RealImageTests.vendorOut, request: 4)))
        }
        await bench.wait { $0.host.reconnects == 1 }
        bench.on { bench in
            #expect(bench.products == [1, 2])
            // It was away between the two, and its host knew.
            #expect(bench.host.absences == 1)
            bench.host.completions = []
            bench.port.submit(.control(3, RealImageTests.configure))
        }
        await bench.wait { $0.host.completions.first?.status == .success }
        await bench.stop()
    }

    @Test(.timeLimit(.minutes(2))) func crashIsReportedAndEndsTransfers() async throws {
        let bench = try Bench()
        await bench.start()
        bench.on { bench in
            try? bench.port.connect(to: bench.host, speed: .full)
            bench.port.submit(.control(1, RealImageTests.configure))
            bench.port.submit(.in(2, 1, length: 64))
            bench.port.submit(.control(3, SetupPacket(requestType: RealImageTests.vendorOut, request: 8)))
        }
        await bench.wait { $0.host.completions.count == 3 }
        bench.on { bench in
            #expect(bench.host.completions.map(\.status) == [.success, .success, .noDevice])
            #expect(bench.device.status.fault != nil)
        }
        await bench.stop()
    }
}
