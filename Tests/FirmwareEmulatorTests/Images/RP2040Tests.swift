import FirmwareTestKit
import Testing

@testable import FirmwareEmulator

/// What of the RP2040 is not its USB controller: firmware of ours that tells what it finds.
@Suite struct RP2040Tests {
    static let report = """
        core 1 000000c9
        core 1 000000cb
        core 1 000000cd
        core 1 000000cf
        counted 00002710
        popcount 0000000b
        reverse 60000001
        leading 0000000f
        trailing 00000010
        bytes 636261a5
        no function 00000000
        1 / 3 3eaaaaab
        sqrt 2 3fb504f3
        floor -1.5 fffffffe
        -1 <=> 1 ffffffff
        1.5 * 2 40080000
        quotient 0000e5c7
        remainder 0000000c
        quotient fffffffd
        remainder ffffffff
        by zero 00000001
        overflow 80000000
        copied 00000001
        crc c9ba1c00
        done 00000004
        temperature 0000036c
        alarm 00000001
        rebooted into 00000001
        scratch 0000cafe
        end

        """

    @Test func coresBootROMAndPeripheralsDoAsTheDatasheetSays() throws {
        let probe = try FirmwareProbe(image: try FirmwareBuilder.pico(), board: try #require(Board.named("pico")))
        func said() -> String { String(decoding: probe.serial, as: UTF8.self) }
        probe.run(milliseconds: 5000) { said().hasSuffix("end\n") }
        #expect(said() == Self.report)
        #expect(probe.log.filter { $0 == "chip reset" }.count == 1)
    }

    /// The SDK's loops wait for time, events and each other: none of that may cost what the chip could execute.
    @Test func bothCoresCostNothingWhileTheyWait() throws {
        let probe = try FirmwareProbe(image: try FirmwareBuilder.pico(), board: try #require(Board.named("pico")))
        let machine = probe.microcontroller.machine
        probe.run(milliseconds: 5000) { String(decoding: probe.serial, as: UTF8.self).hasSuffix("end\n") }
        let (start, skipped) = (machine.clock.now, machine.skippedCycles)
        probe.run(milliseconds: 500)
        let executed = 1 - Double(machine.skippedCycles - skipped) / Double(machine.clock.now - start)
        #expect(executed < 0.001)
    }
}
