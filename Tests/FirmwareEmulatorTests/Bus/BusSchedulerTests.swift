import Testing
import USBCore
import USBDevice

@testable import FirmwareEmulator

/// A scheduler, a controller and firmware in virtual time.
final class BusBench {
    let usb: FSDEV
    let firmware: ModelFirmware
    private(set) var bus: BusScheduler!
    var events: [BusEvent] = []
    var now: UInt64 = 0
    private var due: UInt64 = 0
    private var serial: UInt64 = 0

    init(_ variant: FSDEV.Variant = .f0) {
        usb = FSDEV(variant: variant)
        firmware = ModelFirmware(usb)
        bus = BusScheduler(controller: usb) { [unowned self] in events.append($0) }
    }

    /// Runs for some virtual milliseconds; firmware serves its interrupt 5 µs after it was raised.
    func run(milliseconds: UInt64, until isDone: () -> Bool = { false }) {
        let end = now + milliseconds * 1_000_000
        while now < end, !isDone() {
            due = bus.advance(to: now)
            let activity = usb.activity
            now += 5000
            firmware.serve()
            if usb.activity == activity { now = max(now, min(due, end)) }
        }
    }

    @discardableResult
    func submit(_ transfer: Transfer) -> UInt64 {
        serial += 1
        bus.submit(BusTransfer(serial: serial, transfer: transfer))
        return serial
    }

    var completions: [TransferCompletion] {
        events.compactMap { if case .completed(_, let completion) = $0 { completion } else { nil } }
    }

    var enumerations: [EnumeratedDevice] {
        events.compactMap { if case .enumerated(let device) = $0 { device } else { nil } }
    }

    /// Enumerated, taken by a host, configured.
    func configure() {
        firmware.start()
        run(milliseconds: 1000) { !enumerations.isEmpty }
        bus.connect()
        submit(
            .control(
                900, SetupPacket(requestType: RequestType(.out, .standard, .device), request: 9, value: 1)))
        run(milliseconds: 1000) { completions.contains { $0.id == 900 } }
        events = []
    }
}

@Suite struct BusSchedulerTests {
    @Test(arguments: [FSDEV.Variant.f0, .f1, .f303xE])
    func enumeratesWithAllDescriptors(variant: FSDEV.Variant) throws {
        let bench = BusBench(variant)
        bench.run(milliseconds: 20)
        #expect(bench.events.isEmpty)
        bench.firmware.start()
        bench.run(milliseconds: 1000) { !bench.events.isEmpty }
        let device = try #require(bench.enumerations.first)
        #expect(device.enumeration.device.idVendor == 0x1209)
        #expect(device.enumeration.configurations == [ModelFirmware.configuration])
        #expect(device.product == "model")
        #expect(device.capabilities?.capabilities.count == 1)
        #expect(bench.firmware.requests.first?.standard == .setAddress)
        // Debounce, reset and recovery take their time.
        #expect(bench.now > 125_000_000)
    }

    @Test func hostGetsAFreshlyResetAndAddressedDevice() {
        let bench = BusBench()
        bench.configure()
        #expect(bench.firmware.configuration == 1)
        #expect(bench.usb.read(0x4C) == 0x81)
    }

    @Test func setAddressOfTheHostIsAnsweredWithoutTheDevice() {
        let bench = BusBench()
        bench.configure()
        let count = bench.firmware.requests.count
        bench.submit(
            .control(1, SetupPacket(requestType: RequestType(.out, .standard, .device), request: 5, value: 9)))
        #expect(bench.completions.map(\.status) == [.success])
        bench.run(milliseconds: 10)
        #expect(bench.firmware.requests.count == count)
        #expect(bench.usb.read(0x4C) == 0x81)
    }

    @Test func controlReadOfSeveralPacketsAndAnExactMultiple() {
        let bench = BusBench()
        bench.configure()
        let vendor = RequestType(.in, .vendor, .device)
        bench.submit(.control(1, SetupPacket(requestType: vendor, request: 1, length: 40)))
        bench.submit(.control(2, SetupPacket(requestType: vendor, request: 1, length: 32)))
        // Shorter than asked: the device ends with a short packet.
        bench.submit(.control(3, SetupPacket(requestType: vendor, request: 1, length: 200)))
        bench.run(milliseconds: 100) { bench.completions.count == 3 }
        #expect(bench.completions.map(\.data.count) == [40, 32, 40])
        #expect(bench.completions.allSatisfy { $0.status == .success })
    }

    @Test func controlWriteArrivesWhole() {
        let bench = BusBench()
        bench.configure()
        let data = [UInt8](0..<100)
        bench.submit(
            .control(
                1, SetupPacket(requestType: RequestType(.out, .vendor, .device), request: 1, length: 100), data: data))
        bench.run(milliseconds: 100) { bench.completions.count == 1 }
        #expect(bench.completions.first?.status == .success)
        #expect(bench.completions.first?.actualLength == 100)
        #expect(bench.firmware.controlData == data)
    }

    @Test func unknownRequestStalls() {
        let bench = BusBench()
        bench.configure()
        bench.submit(
            .control(1, SetupPacket(requestType: RequestType(.in, .class, .interface), request: 1, length: 8)))
        bench.run(milliseconds: 100) { !bench.completions.isEmpty }
        #expect(bench.completions.map(\.status) == [.stall])
    }

    @Test func bulkIsCutIntoPacketsAndComesBackInOrder() {
        let bench = BusBench()
        bench.configure()
        let data = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        bench.submit(.out(1, 1, data: data))
        bench.submit(.in(2, 1, length: 2000))
        bench.run(milliseconds: 100) { bench.completions.count == 2 }
        #expect(bench.completions.map(\.status) == [.success, .success])
        #expect(bench.completions.last?.data == data)
    }

    @Test func transferOfWholePacketsEndsAtItsLengthAndZeroPacketFlagAddsOne() {
        let bench = BusBench()
        bench.configure()
        let data = [UInt8](repeating: 3, count: 128)
        bench.submit(.out(1, 1, data: data, flags: .zeroPacket))
        bench.submit(.in(2, 1, length: 128))
        bench.submit(.in(3, 1, length: 64))
        bench.run(milliseconds: 100) { bench.completions.count == 3 }
        let inbound = bench.completions.filter { $0.endpoint.direction == .in }
        #expect(inbound.map(\.data.count) == [128, 0])
    }

    @Test func shortTransferUnderShortNotOK() {
        let bench = BusBench()
        bench.configure()
        bench.submit(.out(1, 1, data: [1, 2, 3]))
        bench.submit(.in(2, 1, length: 64, flags: .shortNotOK))
        bench.run(milliseconds: 100) { bench.completions.count == 2 }
        #expect(bench.completions.last?.status == .shortPacket)
        #expect(bench.completions.last?.data == [1, 2, 3])
    }

    @Test func moreThanAskedIsBabble() {
        let bench = BusBench()
        bench.configure()
        bench.submit(.out(1, 1, data: [UInt8](0..<20)))
        bench.submit(.in(2, 1, length: 10))
        bench.run(milliseconds: 100) { bench.completions.count == 2 }
        #expect(bench.completions.last?.status == .babble)
        #expect(bench.completions.last?.data == [UInt8](0..<10))
    }

    @Test func idleInTransferWaitsAndInterruptIsAskedOnceEachInterval() {
        let bench = BusBench()
        bench.configure()
        bench.submit(.in(1, 2, length: 8))
        bench.run(milliseconds: 50)
        #expect(bench.completions.isEmpty)
        bench.firmware.sendCount(7)
        bench.run(milliseconds: 11) { !bench.completions.isEmpty }
        #expect(bench.completions.first?.data == [7])
        // The next one is due ten frames later, although it is ready at once.
        bench.submit(.in(2, 2, length: 8))
        bench.firmware.sendCount(8)
        bench.run(milliseconds: 8)
        #expect(bench.completions.count == 1)
        bench.run(milliseconds: 4)
        #expect(bench.completions.count == 2)
    }

    @Test func withdrawnTransferIsForgottenAndTheNextGoesOn() {
        let bench = BusBench()
        bench.configure()
        let first = bench.submit(.in(1, 1, length: 64))
        bench.run(milliseconds: 5)
        bench.bus.withdraw(serial: first, endpoint: .init(1, .in))
        bench.submit(.in(2, 1, length: 64))
        bench.submit(.out(3, 1, data: [9]))
        bench.run(milliseconds: 50) { bench.completions.count == 2 }
        #expect(Set(bench.completions.map(\.id)) == [2, 3])
    }

    @Test func clearHaltResetsTheToggle() {
        let bench = BusBench()
        bench.configure()
        bench.submit(.out(1, 1, data: [1]))
        bench.run(milliseconds: 20) { !bench.completions.isEmpty }
        #expect(bench.bus.pipes[1].toggle)
        bench.submit(
            .control(2, SetupPacket(requestType: RequestType(.out, .standard, .endpoint), request: 1, index: 1)))
        bench.run(milliseconds: 20) { bench.completions.count == 2 }
        #expect(!bench.bus.pipes[1].toggle)
    }

    @Test func detachEndsTransfersAndANewIdentityIsReported() throws {
        let bench = BusBench()
        bench.configure()
        bench.submit(.in(1, 1, length: 64))
        bench.run(milliseconds: 5)
        bench.firmware.detach()
        bench.firmware.product = "application"
        bench.firmware.start()
        bench.run(milliseconds: 1000) { !bench.enumerations.isEmpty }
        #expect(bench.completions.map(\.status) == [.noDevice])
        #expect(bench.events.contains(.detached))
        #expect(try #require(bench.enumerations.first).product == "application")
    }

    /// A boot loader starts its application when it is reset: the guest that did it is still asking for descriptors.
    @Test func deviceThatLeavesOnTheHostsResetIsAwaited() throws {
        let bench = BusBench()
        bench.configure()
        bench.bus.busReset()
        bench.run(milliseconds: 2)
        let descriptor = SetupPacket(
            requestType: RequestType(.in, .standard, .device), request: 6, value: 0x0100, length: 18)
        bench.submit(.control(1, descriptor))
        bench.firmware.detach()
        bench.run(milliseconds: 2)
        bench.submit(.control(2, descriptor))
        bench.firmware.product = "application"
        bench.firmware.start()
        bench.run(milliseconds: 2000) { bench.completions.count == 2 }
        #expect(bench.completions.map(\.id) == [1, 2])
        #expect(bench.completions.allSatisfy { $0.status == .success && $0.data.count == 18 })
        let returned = bench.events.compactMap { if case .returned(let device) = $0 { device.product } else { nil } }
        #expect(returned == ["application"])
        #expect(bench.events.first == .detachedInEnumeration && !bench.events.contains(.detached))

        // Configured, it is a device like any other that leaves.
        bench.submit(
            .control(3, SetupPacket(requestType: RequestType(.out, .standard, .device), request: 9, value: 1)))
        bench.run(milliseconds: 100) { bench.completions.count == 3 }
        bench.firmware.detach()
        bench.run(milliseconds: 2)
        #expect(bench.events.last == .detached)
    }

    @Test func deviceThatDoesNotReturnFromTheHostsResetIsGone() {
        let bench = BusBench()
        bench.configure()
        bench.bus.busReset()
        bench.run(milliseconds: 2)
        bench.firmware.detach()
        bench.run(milliseconds: 2)
        bench.submit(
            .control(
                1, SetupPacket(requestType: RequestType(.in, .standard, .device), request: 6, value: 0x0100, length: 18)
            ))
        bench.submit(.in(2, 1, length: 64))
        #expect(bench.completions.map(\.id) == [2] && bench.completions.first?.status == .noDevice)
        bench.run(milliseconds: 4000) { bench.events.contains(.detached) }
        #expect(bench.completions.map(\.id) == [2, 1] && bench.completions.last?.status == .noDevice)
        #expect(bench.events.filter { $0 == .detached }.count == 1)
    }

    @Test func transferForAnAbsentDeviceFailsAtOnce() {
        let bench = BusBench()
        bench.configure()
        bench.firmware.detach()
        bench.run(milliseconds: 5)
        bench.events = []
        bench.submit(.in(1, 1, length: 64))
        #expect(bench.completions.map(\.status) == [.noDevice])
    }

    @Test func firmwareThatAnswersNothingIsGivenUpWithTheReason() {
        let bench = BusBench()
        bench.firmware.ignoresEverything = true
        bench.firmware.start()
        bench.run(milliseconds: 30_000) { !bench.events.isEmpty }
        #expect(bench.events == [.unusable("it did not accept an address")])
    }

    @Test func firmwareThatStallsEverythingIsGivenUp() {
        let bench = BusBench()
        bench.firmware.stallsEverything = true
        bench.firmware.start()
        bench.run(milliseconds: 30_000) { !bench.events.isEmpty }
        #expect(bench.events == [.unusable("it did not accept an address")])
    }

    @Test func withoutAHostTheDeviceIsSuspended() {
        let bench = BusBench()
        bench.firmware.start()
        bench.run(milliseconds: 1000) { !bench.enumerations.isEmpty }
        bench.usb.write(0x44, 0)
        bench.firmware.ignoresEverything = true
        bench.run(milliseconds: 10)
        #expect(bench.usb.read(0x44) & 0x0800 == 0x0800)
    }

    @Test func remoteWakeUpEndsTheSuspend() {
        let bench = BusBench()
        bench.configure()
        bench.bus.suspend()
        bench.run(milliseconds: 10)
        bench.usb.write(0x40, 0xBC08)
        bench.run(milliseconds: 10)
        #expect(bench.events.isEmpty)
        bench.usb.write(0x40, 0xBC18)
        bench.run(milliseconds: 3)
        #expect(bench.events == [.remoteWakeUp])
        bench.usb.write(0x40, 0xBC00)
        bench.run(milliseconds: 30)
        bench.submit(.out(1, 1, data: [1]))
        bench.run(milliseconds: 30) { !bench.completions.isEmpty }
        #expect(bench.completions.map(\.status) == [.success])
    }

    @Test func startOfFrameComesEachMillisecond() {
        let bench = BusBench()
        bench.configure()
        let first = bench.usb.read(0x48) & 0x07FF
        bench.run(milliseconds: 100)
        let last = bench.usb.read(0x48) & 0x07FF
        #expect((99...101).contains((last &- first) & 0x07FF))
    }
}
