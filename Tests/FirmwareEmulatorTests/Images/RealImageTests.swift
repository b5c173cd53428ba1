import FirmwareTestKit
import Testing
import USBCore

@testable import FirmwareEmulator

/// Compiled firmware on the emulated chip, in virtual time: nothing here waits for a clock on the wall.
@Suite struct RealImageTests {
    static let configure = SetupPacket(requestType: RequestType(.out, .standard, .device), request: 9, value: 1)
    static let vendorIn = RequestType(.in, .vendor, .device)
    static let vendorOut = RequestType(.out, .vendor, .device)

    static func vendorProbe(_ target: FirmwareBuilder.Target) throws -> FirmwareProbe {
        let board = try #require(Board.named(target.board))
        return try FirmwareProbe(image: try FirmwareBuilder.vendor(target), board: board, identity: 0x1234)
    }

    /// Enumerated, taken by a host, configured.
    static func ready(_ target: FirmwareBuilder.Target) throws -> FirmwareProbe {
        let probe = try vendorProbe(target)
        let device = probe.enumerate()
        try #require(device != nil, "\(probe.failure)")
        probe.connect()
        #expect(probe.perform(.control(1, configure))?.status == .success)
        return probe
    }

    @Test func shippedUSBMuxFirmwareEnumerates() throws {
        let image = try FirmwareBuilder.usbMux()
        #expect(image.hint == .chip("stm32f042"))
        let probe = try FirmwareProbe(image: image, board: try #require(Board.named("stm32f042")))
        let device = try #require(probe.enumerate(), "\(probe.failure)")
        #expect(device.enumeration.device.idVendor == 0x33F7)
        #expect(device.enumeration.device.idProduct == 0x0001)
        #expect(device.product == "USB-Mux")
        #expect(String(decoding: probe.serial, as: UTF8.self).contains("umx-T03"))
        #expect(device.listing.contains("idVendor            0x33f7"))
        // What its own tool asks: protocol version and status.
        probe.connect()
        #expect(probe.perform(.control(1, Self.configure))?.status == .success)
        let version = SetupPacket(requestType: Self.vendorIn, request: 255, value: 255, length: 128)
        #expect(probe.perform(.control(2, version))?.data.isEmpty == false)
        let status = SetupPacket(requestType: Self.vendorIn, request: 255, value: 0, length: 128)
        #expect(probe.perform(.control(3, status))?.data.count == 8)
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func enumeratesWithAUniqueSerialNumber(
        target: FirmwareBuilder.Target
    ) throws {
        let probe = try Self.vendorProbe(target)
        let device = try #require(probe.enumerate(), "\(probe.failure)")
        #expect(device.product == "vendor test")
        #expect(device.manufacturer == "2Virt")
        #expect(
            device.serialNumber == (target == .rp2040 ? "E66000000000123432565254" : "341200000000000032565254"))
        #expect(device.enumeration.configurations[0].interfaces[0].endpoints.count == 3)
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func controlTransfersOfAllShapes(target: FirmwareBuilder.Target)
        throws
    {
        let probe = try Self.ready(target)
        let pattern = (0..<256).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for (available, asked) in [(256, 256), (100, 100), (128, 200), (64, 65), (0, 10)] {
            let setup = SetupPacket(
                requestType: Self.vendorIn, request: 1, value: UInt16(available), length: UInt16(asked))
            let reply = probe.perform(.control(2, setup))
            #expect(reply?.status == .success)
            #expect(reply?.data == Array(pattern.prefix(min(available, asked))))
        }
        let data = [UInt8](10..<70)
        let write = SetupPacket(requestType: Self.vendorOut, request: 2, length: 60)
        #expect(probe.perform(.control(3, write, data: data))?.actualLength == 60)
        let read = SetupPacket(requestType: Self.vendorIn, request: 3, length: 60)
        #expect(probe.perform(.control(4, read))?.data == data)
        let unknown = SetupPacket(requestType: Self.vendorIn, request: 99, length: 1)
        #expect(probe.perform(.control(5, unknown))?.status == .stall)
        #expect(probe.perform(.control(6, read))?.status == .success)
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func doubleBufferedBulkLoopsBack(target: FirmwareBuilder.Target)
        throws
    {
        let probe = try Self.ready(target)
        let data = (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        probe.submit(100, .out(7, 1, data: data))
        let reply = probe.perform(.in(8, 1, length: 4096))
        #expect(reply?.status == .success)
        #expect(reply?.data == data)
        #expect(probe.takeCompletion(100)?.actualLength == 4000)
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func isochronousEndpointGivesAPacketEachFrame(
        target: FirmwareBuilder.Target
    ) throws {
        let probe = try Self.ready(target)
        let packets = (0..<50).map { IsochronousPacket(offset: $0 * 32, length: 32) }
        let reply = try #require(probe.perform(.in(7, 3, length: 1600, packets: packets)))
        #expect(reply.status == .success)
        #expect(reply.packets.allSatisfy { $0.actualLength == 4 })
        let counters = stride(from: 8, to: reply.data.count, by: 4).map {
            Int(reply.data[$0]) | Int(reply.data[$0 + 1]) << 8
        }
        #expect(counters.count == 48)
        #expect(zip(counters, counters.dropFirst()).allSatisfy { $1 == $0 + 1 })
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func flashIsProgrammedAndErrorsAreFlagged(
        target: FirmwareBuilder.Target
    ) throws {
        let probe = try Self.ready(target)
        let program = SetupPacket(requestType: Self.vendorOut, request: 5, value: 0xBEEF)
        #expect(probe.perform(.control(2, program))?.status == .success)
        let read = SetupPacket(requestType: Self.vendorIn, request: 6, length: 4)
        // EOP for the first store, PGERR for the second, into a halfword that is not erased.
        #expect(probe.perform(.control(3, read))?.data == [0x20, 0x04, 0xEF, 0xBE])
        let at = [.f072: 0x7C00, .f407: 0x2_0000][target] ?? 0xFC00
        #expect(Array(probe.microcontroller.flashContents[at..<at + 2]) == [0xEF, 0xBE])
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func detachAndNewIdentityAreNoticed(
        target: FirmwareBuilder.Target
    ) throws {
        let probe = try Self.ready(target)
        let detach = SetupPacket(requestType: Self.vendorOut, request: 4)
        #expect(probe.perform(.control(2, detach))?.status == .success)
        let device = try #require(probe.enumerate(), "\(probe.failure)")
        #expect(device.enumeration.device.idProduct == 2)
        #expect(probe.events.contains(.detached))
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func systemResetEnumeratesAgain(target: FirmwareBuilder.Target)
        throws
    {
        let probe = try Self.ready(target)
        let reset = SetupPacket(requestType: Self.vendorOut, request: 7)
        #expect(probe.perform(.control(2, reset))?.status == .success)
        let device = try #require(probe.enumerate(), "\(probe.failure)")
        #expect(device.enumeration.device.idProduct == 1)
        #expect(probe.log.contains("chip reset"))
    }

    @Test(arguments: [FirmwareBuilder.Target.f072, .f407, .rp2040]) func remoteWakeUpByAButton(
        target: FirmwareBuilder.Target
    ) throws {
        let probe = try Self.ready(target)
        probe.scheduler?.suspend()
        probe.run(milliseconds: 20)
        #expect(!probe.events.contains(.remoteWakeUp))
        let button = try #require(probe.microcontroller.board.buttons.first)
        probe.microcontroller.press(button, true)
        probe.run(milliseconds: 100) { probe.events.contains(.remoteWakeUp) }
        #expect(probe.events.contains(.remoteWakeUp))
        probe.run(milliseconds: 50)
        let read = SetupPacket(requestType: Self.vendorIn, request: 3, length: 4)
        #expect(probe.perform(.control(3, read))?.status == .success)
    }

    /// Main loops that poll and never sleep are the rule; each must cost nearly nothing while nothing happens.
    @Test(arguments: [FirmwareBuilder.Target.f072, .f407, .rp2040]) func aMainLoopThatPollsForEverIsSkipped(
        target: FirmwareBuilder.Target
    ) throws {
        let board = try #require(Board.named(target.board))
        let probe = try FirmwareProbe(image: try FirmwareBuilder.cdc(target), board: board)
        #expect(probe.enumerate() != nil, "\(probe.failure)")
        let machine = probe.microcontroller.machine
        func executed() -> Double {
            let (start, skipped) = (machine.clock.now, machine.skippedCycles)
            probe.run(milliseconds: 500)
            return 1 - Double(machine.skippedCycles - skipped) / Double(machine.clock.now - start)
        }
        probe.run(milliseconds: 50)
        #expect(executed() < 0.02)
        probe.connect()
        #expect(probe.perform(.control(1, Self.configure))?.status == .success)
        probe.run(milliseconds: 50)
        #expect(executed() < 0.02)
        // And it is there at once when something does happen.
        let data = [UInt8](0..<64)
        probe.submit(100, .out(7, 1, data: data))
        #expect(probe.perform(.in(8, 1, length: 64), milliseconds: 20)?.data == data)
    }

    /// The RP2040 sends by both buffers of a pair whenever there is enough for them.
    @Test(arguments: [FirmwareBuilder.Target.f072, .f407, .rp2040]) func serialEchoKeepsOrder(
        target: FirmwareBuilder.Target
    ) throws {
        let board = try #require(Board.named(target.board))
        let probe = try FirmwareProbe(image: try FirmwareBuilder.cdc(target), board: board)
        #expect(probe.enumerate() != nil, "\(probe.failure)")
        probe.connect()
        #expect(probe.perform(.control(1, Self.configure))?.status == .success)
        for count in [1, 64, 127, 128, 129, 1000, 2000] {
            let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            probe.submit(100, .out(7, 1, data: data))
            var echoed: [UInt8] = []
            while echoed.count < count, let reply = probe.perform(.in(8, 1, length: 512)), reply.status == .success {
                echoed += reply.data
            }
            #expect(echoed == data)
            #expect(probe.takeCompletion(100)?.actualLength == count)
        }
    }

    /// Linked behind a boot loader that is not there.
    @Test(arguments: [FirmwareBuilder.Target.f103, .f407]) func imageBehindAMissingBootLoaderIsStarted(
        target: FirmwareBuilder.Target
    ) throws {
        let start: UInt32 = target == .f407 ? 0x0800_4000 : 0x0800_2000
        let probe = try FirmwareProbe(
            image: try FirmwareBuilder.vendor(target, start: start), board: try #require(Board.named(target.board)))
        #expect(probe.enumerate()?.product == "vendor test", "\(probe.failure)")
        #expect(probe.log.contains { $0.contains("no boot loader") && $0.contains(hex(start)) })
    }

    @Test func jumpIntoNowhereIsAFaultWithARegisterDump() throws {
        let probe = try Self.ready(.f072)
        let crash = SetupPacket(requestType: Self.vendorOut, request: 8)
        #expect(probe.perform(.control(2, crash))?.status == .success)
        probe.run(milliseconds: 500)
        let fault = try #require(probe.fault)
        #expect(fault.description.contains("pc="))
    }

    /// A machine has some megabytes; peripherals and cores know each other.
    @Test func boardsAreFreedWithAllThatIsOnThem() throws {
        for board in Board.all {
            weak var machine: Machine?
            weak var memory: MemoryMap?
            try inAScope {
                let microcontroller = try Microcontroller(board: board, image: nil)
                machine = microcontroller.machine
                memory = machine?.memory
                microcontroller.powerOn()
                _ = microcontroller.run(untilCycle: 1000)
                #expect(machine != nil)
            }
            #expect(machine == nil && memory == nil, "\(board.name)")
        }
    }

    @Test(arguments: FirmwareBuilder.Target.allCases) func aUsedBoardIsFreed(target: FirmwareBuilder.Target) throws {
        weak var machine: Machine?
        weak var memory: MemoryMap?
        try inAScope {
            let probe = try Self.ready(target)
            machine = probe.microcontroller.machine
            memory = machine?.memory
            probe.run(milliseconds: 50)
        }
        #expect(machine == nil && memory == nil)
    }

    private func inAScope(_ body: () throws -> Void) rethrows { try body() }

    @Test func imageThatDoesNotFitNamesTheMemories() {
        let image = FirmwareImage(format: .binary, segments: [.init(address: 0x0900_0000, bytes: [1, 2])])
        let error = #expect(throws: ImageError.self) {
            try Microcontroller(board: Board.all[0], image: image)
        }
        #expect(error?.reason.contains("flash 0x08000000 has 32 KiB") == true)
    }
}
