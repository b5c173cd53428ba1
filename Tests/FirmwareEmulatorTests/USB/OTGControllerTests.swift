import Testing

@testable import FirmwareEmulator

/// Rules of RM0090 chapter 34 that drivers rely on, register by register.
@Suite struct OTGControllerTests {
    let usb = OTGController()

    /// Powered, connected, reset by the host, FIFOs of 64 words to receive and 16, 32, 16, 16 to send.
    init() {
        usb.reset()
        usb.write(0x038, 1 << 16 | 1 << 21)
        usb.write(0x018, 0xFFFF_FFFF)
        usb.write(0x008, 1)
        usb.write(0x804, 0)
        usb.busReset()
        usb.startOfFrame(1)
        usb.write(0x024, 64)
        usb.write(0x028, 16 << 16 | 64)
        usb.write(0x104, 32 << 16 | 80)
        usb.write(0x108, 16 << 16 | 112)
        usb.write(0x10C, 16 << 16 | 128)
        usb.write(0x810, 1)
        usb.write(0x81C, 0xF_000F)
        usb.write(0x014, 0xFFFF_FFFF)
    }

    func inControl(_ n: UInt32) -> UInt32 { 0x900 + 0x20 * n }
    func outControl(_ n: UInt32) -> UInt32 { 0xB00 + 0x20 * n }

    /// Opens a bulk endpoint of 64 bytes in both directions.
    func openBulk(_ n: UInt32) {
        usb.write(inControl(n), 1 << 28 | 1 << 27 | n << 22 | 2 << 18 | 1 << 15 | 64)
        usb.write(outControl(n), 1 << 28 | 1 << 27 | 2 << 18 | 1 << 15 | 64)
    }

    func arm(in n: UInt32, bytes: UInt32, packets: UInt32) {
        usb.write(inControl(n) + 0x10, packets << 19 | bytes)
        usb.write(inControl(n), usb.read(inControl(n)) | 1 << 31 | 1 << 26)
    }

    func arm(out n: UInt32, bytes: UInt32, packets: UInt32) {
        usb.write(outControl(n) + 0x10, packets << 19 | bytes)
        usb.write(outControl(n), usb.read(outControl(n)) | 1 << 31 | 1 << 26)
    }

    func push(_ n: UInt32, words: Int) {
        for word in 0..<UInt32(words) { usb.write(0x1000 * (n + 1), word &* 0x0404_0404 &+ 0x0302_0100) }
    }

    @Test func pullUpNeedsClockPowerAndNoSoftDisconnect() {
        #expect(usb.isAttached)
        usb.write(0x804, 2)
        #expect(!usb.isAttached && usb.detachCount == 1)
        usb.write(0x804, 0)
        usb.isClocked = false
        #expect(!usb.isAttached)
        usb.isClocked = true
        usb.write(0x038, 1 << 21)
        #expect(!usb.isAttached && usb.detachCount == 3)
    }

    @Test func softResetKeepsPowerAndDisconnect() {
        usb.write(0x804, 2)
        usb.write(0x010, 1)
        #expect(usb.read(0x804) == 2 && usb.read(0x038) == 1 << 16 | 1 << 21)
        #expect(usb.read(0x010) == 1 << 31)
        #expect(usb.read(0x018) == 0 && usb.read(0x014) & 1 << 12 == 0)
    }

    @Test func busResetThenEnumerationDoneWithTheFirstFrame() {
        usb.write(0x800, 5 << 4)
        openBulk(1)
        usb.busReset()
        #expect(usb.read(0x014) & 3 << 12 == 1 << 12)
        #expect(usb.read(0x800) & 0x7F0 == 0)
        #expect(usb.read(inControl(1)) & 1 << 15 == 0 && usb.read(inControl(0)) & 1 << 15 != 0)
        #expect(usb.setup([0, 5, 1, 0, 0, 0, 0, 0], address: 0) == .silence)
        usb.startOfFrame(2)
        #expect(usb.read(0x014) & 3 << 12 == 3 << 12)
        #expect(usb.read(0x808) == 6 | 2 << 8)
    }

    @Test func setupIsTwoEntriesAndTheSecondRaisesItsInterruptWhenPopped() {
        usb.write(inControl(0), 1 << 21)
        #expect(usb.in(address: 0, endpoint: 0) == .stalled)
        #expect(usb.setup([0x80, 6, 0, 1, 0, 0, 18, 0], address: 0) == .acknowledged)
        #expect(usb.read(inControl(0)) & 1 << 21 == 0)
        #expect(usb.read(inControl(0)) & 1 << 17 != 0 && usb.read(outControl(0)) & 1 << 17 != 0)
        #expect(usb.read(0x014) & 1 << 4 != 0)
        #expect(usb.read(0x01C) == usb.read(0x01C))
        #expect(usb.read(0x020) == 6 << 17 | 8 << 4)
        #expect(usb.read(0x1000) == 0x0100_0680 && usb.read(0x1000) == 0x0012_0000 && usb.read(0x1000) == 0)
        #expect(usb.read(outControl(0) + 8) == 0)
        #expect(usb.read(0x020) == 4 << 17)
        #expect(usb.read(outControl(0) + 8) == 8)
        #expect(usb.read(0x014) & 1 << 4 == 0)
        // Room for three is reserved, not more.
        for _ in 0..<3 { #expect(usb.setup([UInt8](repeating: 1, count: 8), address: 0) == .acknowledged) }
        #expect(usb.setup([UInt8](repeating: 1, count: 8), address: 0) == .silence)
        #expect(usb.setup([1], address: 0) == .silence)
    }

    @Test func newAddressCountsAfterTheStatusStage() {
        _ = usb.setup([0, 5, 9, 0, 0, 0, 0, 0], address: 0)
        usb.write(0x800, 9 << 4 | 3)
        arm(in: 0, bytes: 0, packets: 1)
        #expect(usb.in(address: 0, endpoint: 0) == .data([], toggle: true))
        #expect(usb.in(address: 0, endpoint: 0) == .silence)
        #expect(usb.address == 9)
    }

    @Test func inTransferOfSeveralPacketsLeavesInOrderWithToggles() {
        openBulk(1)
        #expect(usb.in(address: 0, endpoint: 1) == .busy)
        arm(in: 1, bytes: 100, packets: 2)
        // The token comes before the data: told, and refused.
        #expect(usb.in(address: 0, endpoint: 1) == .busy)
        #expect(usb.read(inControl(1) + 8) & 1 << 4 != 0)
        push(1, words: 16)
        #expect(usb.read(inControl(1) + 0x10) & 0x7_FFFF == 36)
        push(1, words: 9)
        #expect(usb.read(inControl(1) + 0x18) == 7)
        #expect(usb.in(address: 0, endpoint: 1) == .data((0..<64).map { $0 }, toggle: false))
        #expect(usb.read(inControl(1) + 8) & 1 == 0)
        #expect(usb.read(inControl(1) + 0x18) == 23)
        #expect(usb.in(address: 0, endpoint: 1) == .data((0..<36).map { $0 }, toggle: true))
        #expect(usb.read(inControl(1) + 8) & 1 == 1 && usb.read(inControl(1)) & 1 << 31 == 0)
        #expect(usb.read(0x014) & 1 << 18 != 0)
        usb.write(inControl(1) + 8, 1)
        #expect(usb.read(0x014) & 1 << 18 == 0)
        // SD0PID.
        usb.write(inControl(1), usb.read(inControl(1)) | 1 << 28)
        arm(in: 1, bytes: 0, packets: 1)
        #expect(usb.in(address: 0, endpoint: 1) == .data([], toggle: false))
    }

    @Test func outTransferEndsWithAShortPacketOrItsCount() {
        openBulk(2)
        #expect(usb.out([1][...], toggle: false, address: 0, endpoint: 2) == .busy)
        arm(out: 2, bytes: 128, packets: 2)
        let full = [UInt8](0..<64)
        #expect(usb.out(full[...], toggle: false, address: 0, endpoint: 2) == .acknowledged)
        // Repeated: acknowledged, not taken.
        #expect(usb.out(full[...], toggle: false, address: 0, endpoint: 2) == .acknowledged)
        #expect(usb.out([7, 8, 9][...], toggle: true, address: 0, endpoint: 2) == .acknowledged)
        #expect(usb.out([1][...], toggle: false, address: 0, endpoint: 2) == .busy)
        #expect(usb.read(outControl(2) + 0x10) & 0x7_FFFF == 61)
        #expect(usb.read(0x020) == 2 << 17 | 64 << 4 | 2)
        // Data that is not read does not get into the next packet's way.
        #expect(usb.read(0x1000) == 0x0302_0100)
        #expect(usb.read(0x020) == 2 << 17 | 2 << 15 | 3 << 4 | 2)
        #expect(usb.read(0x1000) == 0x0009_0807)
        #expect(usb.read(outControl(2) + 8) & 1 == 0)
        #expect(usb.read(0x020) == 3 << 17 | 2)
        #expect(usb.read(outControl(2) + 8) & 1 == 1)
    }

    @Test func fullReceiveFIFORefusesAndLongPacketsAreNotTaken() {
        usb.write(0x024, 20)
        openBulk(1)
        arm(out: 1, bytes: 256, packets: 4)
        let full = [UInt8](repeating: 1, count: 64)
        #expect(usb.out(full[...], toggle: false, address: 0, endpoint: 1) == .acknowledged)
        #expect(usb.out(full[...], toggle: true, address: 0, endpoint: 1) == .busy)
        _ = usb.read(0x020)
        #expect(usb.out([UInt8](repeating: 1, count: 65)[...], toggle: true, address: 0, endpoint: 1) == .silence)
        #expect(usb.out(full[...], toggle: true, address: 0, endpoint: 1) == .acknowledged)
        usb.write(0x010, 1 << 4)
        #expect(usb.read(0x014) & 1 << 4 == 0)
    }

    @Test func transmitFIFOIsBoundedAndFlushed() {
        openBulk(1)
        arm(in: 1, bytes: 0x7_FFFF, packets: 1023)
        push(1, words: 500)
        #expect(usb.read(inControl(1) + 0x18) == 0)
        usb.write(0x010, 0x10 << 6 | 1 << 5)
        #expect(usb.read(inControl(1) + 0x18) == 32)
        // No endpoint, no FIFO of its own.
        usb.write(0x9000, 1)
        usb.write(0x104, 0xFFFF_0000)
        #expect(usb.read(inControl(1) + 0x18) == 320)
    }

    @Test func emptyFIFOInterruptFollowsItsMask() {
        openBulk(1)
        arm(in: 1, bytes: 128, packets: 2)
        #expect(usb.read(0x818) & 2 == 0)
        usb.write(0x834, 2)
        #expect(usb.read(0x818) & 2 != 0)
        push(1, words: 17)
        // More than half full.
        #expect(usb.read(0x818) & 2 == 0)
    }

    @Test func disablingAndNAKTakeEffectAtOnce() {
        openBulk(1)
        arm(in: 1, bytes: 8, packets: 1)
        push(1, words: 2)
        usb.write(inControl(1), usb.read(inControl(1)) | 1 << 27)
        #expect(usb.read(inControl(1) + 8) & 1 << 6 != 0)
        #expect(usb.in(address: 0, endpoint: 1) == .busy)
        usb.write(inControl(1), usb.read(inControl(1)) | 1 << 30)
        #expect(usb.read(inControl(1) + 8) & 2 == 2 && usb.read(inControl(1)) >> 30 == 0)
        arm(out: 1, bytes: 64, packets: 1)
        usb.write(0x804, 1 << 9)
        #expect(usb.read(0x014) & 1 << 7 != 0)
        #expect(usb.out([1][...], toggle: false, address: 0, endpoint: 1) == .busy)
        usb.write(0x804, 1 << 10)
        #expect(usb.read(0x014) & 1 << 7 == 0)
        // Drivers change single bits of what they have read: the commands are not among them.
        #expect(usb.read(0x804) & 0x780 == 0)
        #expect(usb.out([1][...], toggle: false, address: 0, endpoint: 1) == .acknowledged)
    }

    @Test func isochronousPacketsGoInFramesOfTheirParity() {
        usb.write(inControl(3), 1 << 29 | 3 << 22 | 1 << 18 | 1 << 15 | 32)
        arm(in: 3, bytes: 4, packets: 1)
        push(3, words: 1)
        usb.startOfFrame(2)
        #expect(usb.in(address: 0, endpoint: 3) == .silence)
        usb.endPeriodicFrame()
        #expect(usb.read(0x014) & 1 << 20 == 0)
        usb.startOfFrame(3)
        // Nobody asks.
        usb.endPeriodicFrame()
        #expect(usb.read(0x014) & 1 << 20 != 0)
        usb.write(inControl(3), usb.read(inControl(3)) | 1 << 28)
        usb.startOfFrame(4)
        #expect(usb.in(address: 0, endpoint: 3) == .data([0, 1, 2, 3], toggle: false))
        #expect(usb.read(inControl(3) + 8) & 1 == 1)
    }

    @Test func suspendAndResumeAndRemoteWakeUp() {
        for _ in 0..<3 { usb.idleFrame() }
        #expect(usb.read(0x014) & 1 << 11 != 0 && usb.read(0x808) & 1 == 1)
        usb.write(0x804, 1)
        #expect(usb.isSignallingResume)
        usb.write(0x804, 0)
        usb.resume()
        #expect(usb.read(0x014) & 1 << 31 != 0 && usb.read(0x808) & 1 == 0)
    }

    /// No write traps, whatever it says.
    @Test func anythingMayBeWrittenAnywhere() {
        var state: UInt32 = 0x1234_5678
        func random() -> UInt32 {
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return state
        }
        let registers: [UInt32] = [
            0x000, 0x008, 0x00C, 0x010, 0x014, 0x018, 0x024, 0x028, 0x038, 0x104, 0x108, 0x10C, 0x800, 0x804, 0x810,
            0x814, 0x81C, 0x834, 0xE00, 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x1_0000, 0x3_FFFC,
        ]
        for round in 0..<200_000 {
            let offset = random() % 3 == 0 ? 0x900 + random() % 0x400 : registers[Int(random()) % registers.count]
            usb.write(offset & ~3, random() & random())
            _ = usb.read(random() % 2 == 0 ? offset & ~3 : 0x020)
            let endpoint = UInt8(random() & 15)
            switch round % 8 {
            case 0: _ = usb.setup([UInt8](repeating: UInt8(round & 255), count: 8), address: usb.address ?? 0)
            case 1, 2: _ = usb.in(address: usb.address ?? 0, endpoint: endpoint)
            case 3:
                let data = [UInt8](repeating: 3, count: Int(random() % 1100))
                _ = usb.out(data[...], toggle: random() & 1 == 0, address: usb.address ?? 0, endpoint: endpoint)
            case 4:
                usb.startOfFrame(UInt16(truncatingIfNeeded: round))
                usb.endPeriodicFrame()
            case 5: usb.idleFrame()
            case 6 where random() % 64 == 0: usb.busReset()
            default: usb.resume()
            }
        }
        #expect(usb.receive.entries.count < 400)
    }
}
