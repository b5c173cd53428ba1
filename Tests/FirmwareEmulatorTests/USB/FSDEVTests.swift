import Testing

@testable import FirmwareEmulator

@Suite struct FSDEVTests {
    let usb = FSDEV(variant: .f0)

    /// Powered, out of reset, pull-up on, all interrupts on, address 0.
    init() {
        usb.write(0x40, 0xBF00)
        usb.write(0x44, 0)
        usb.write(0x58, 0x8000)
        usb.write(0x4C, 0x80)
    }

    /// Buffer table entry, as the CPU writes it in packed memory.
    func entry(_ index: Int, tx: UInt32 = 0, countTX: UInt32 = 0, rx: UInt32 = 0, countRX: UInt32 = 0) {
        for (position, value) in [tx, countTX, rx, countRX].enumerated() {
            usb.writeMemory(UInt32(index * 8 + position * 2), value, size: 2)
        }
    }

    func memory(_ address: UInt32, _ count: Int) -> [UInt8] {
        (0..<UInt32(count)).map { UInt8(usb.readMemory(address + $0, size: 1)) }
    }

    func put(_ bytes: [UInt8], at address: UInt32) {
        for (index, byte) in bytes.enumerated() { usb.writeMemory(address + UInt32(index), UInt32(byte), size: 1) }
    }

    // MARK: EPnR

    @Test func statusAndToggleBitsToggleWhereOneIsWritten() {
        usb.write(0x00, 0x3230)
        #expect(usb.read(0x00) == 0x3230)
        // STAT_RX 11 -> 10, STAT_TX 11 -> 01; the plain fields are written.
        usb.write(0x00, 0x1220)
        #expect(usb.read(0x00) == 0x2210)
        usb.write(0x00, 0x4241)
        #expect(usb.read(0x00) == 0x6251)
    }

    @Test func transferBitsCanOnlyBeCleared() {
        usb.write(0x00, 0x8080)
        #expect(usb.read(0x00) == 0)
        entry(0, tx: 64, countTX: 0)
        usb.write(0x04, 0x0031)
        #expect(usb.in(address: 0, endpoint: 1) == .data([], toggle: false))
        #expect(usb.read(0x04) & 0x80 == 0x80)
        usb.write(0x04, 0x8081)
        #expect(usb.read(0x04) & 0x80 == 0x80)
        usb.write(0x04, 0x8001)
        #expect(usb.read(0x04) & 0x80 == 0)
    }

    @Test func busResetClearsAllButPendingTransferBits() {
        entry(0, rx: 64, countRX: 0x8400)
        usb.write(0x00, 0x3220)
        #expect(usb.setup([0x80, 6, 0, 1, 0, 0, 18, 0], address: 0) == .acknowledged)
        usb.busReset()
        #expect(usb.read(0x00) == 0x8000)
        #expect(usb.read(0x4C) == 0)
        #expect(usb.read(0x44) & 0x0400 == 0x0400)
        // Deaf until EF is set again.
        #expect(usb.setup([0x80, 6, 0, 1, 0, 0, 18, 0], address: 0) == .silence)
    }

    // MARK: What chips do beyond the manual, and boot loaders rely on

    @Test func withoutBlocksABufferTakesWhatComes() {
        entry(0, rx: 64, countRX: 0)
        usb.write(0x00, 0x3220)
        #expect(usb.setup([1, 2, 3, 4, 5, 6, 7, 8], address: 0) == .acknowledged)
        #expect(memory(64, 8) == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test(arguments: [(FSDEV.Variant.f0, false), (.f1, true)])
    func transfersInterruptWithoutTheirMaskOnF103(variant: FSDEV.Variant, isRaised: Bool) {
        let usb = FSDEV(variant: variant)
        usb.write(0x40, 0x1C00)
        usb.write(0x44, 0)
        usb.write(0x58, 0x8000)
        usb.write(0x4C, 0x80)
        usb.write(0x00, 0x3220)
        #expect(usb.setup([1, 2, 3, 4, 5, 6, 7, 8], address: 0) == .acknowledged)
        #expect(usb.lines.low == isRaised)
    }

    // MARK: Transactions

    @Test func setupIsTakenWhateverTheStatusAndSetsBothToNAK() {
        entry(0, rx: 64, countRX: 0x8400)
        // STAT_RX stall, STAT_TX stall.
        usb.write(0x00, 0x1210)
        #expect(usb.setup([1, 2, 3, 4, 5, 6, 7, 8], address: 0) == .acknowledged)
        #expect(memory(64, 8) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(usb.read(0x00) == 0xEA60)
        #expect(usb.readMemory(6, size: 2) == 0x8408)
        #expect(usb.lines.low)
        #expect(usb.read(0x44) & 0x801F == 0x8010)
        // The packet is not read yet: the next one waits.
        #expect(usb.setup([9, 9, 9, 9, 9, 9, 9, 9], address: 0) == .silence)
        #expect(memory(64, 1) == [1])
    }

    @Test func outIsRefusedByStatusAndRepeatedPacketsAreDropped() {
        entry(1, rx: 128, countRX: 0x0800)
        usb.write(0x04, 0x2001)
        #expect(usb.out([1], toggle: false, address: 0, endpoint: 1) == .busy)
        usb.write(0x04, 0x3001)
        #expect(usb.read(0x04) & 0x3000 == 0x1000)
        #expect(usb.out([1], toggle: false, address: 0, endpoint: 1) == .stalled)
        usb.write(0x04, 0x2001)
        #expect(usb.out([7, 8], toggle: false, address: 0, endpoint: 1) == .acknowledged)
        #expect(usb.read(0x04) == 0xE001)
        #expect(memory(128, 2) == [7, 8])
        // NAK -> VALID, CTR_RX cleared.
        usb.write(0x04, 0x1001)
        #expect(usb.out([9, 9], toggle: false, address: 0, endpoint: 1) == .acknowledged)
        #expect(usb.read(0x04) == 0x7001)
        #expect(memory(128, 2) == [7, 8])
    }

    @Test func packetLargerThanItsBufferRaisesOverrunAndIsNotAcknowledged() {
        // NUM_BLOCK 4 of 2 bytes.
        entry(1, rx: 128, countRX: 4 << 10)
        usb.write(0x04, 0x3001)
        #expect(usb.out(ArraySlice([UInt8](0..<9)), toggle: false, address: 0, endpoint: 1) == .silence)
        #expect(usb.read(0x44) & 0x4000 == 0x4000)
        #expect(usb.read(0x04) == 0x3001)
        #expect(usb.out(ArraySlice([UInt8](0..<8)), toggle: false, address: 0, endpoint: 1) == .acknowledged)
    }

    @Test func statusOutAcceptsOnlyAnEmptyPacket() {
        entry(0, rx: 64, countRX: 0x8400)
        usb.write(0x00, 0x3300)
        #expect(usb.out([1], toggle: false, address: 0, endpoint: 0) == .stalled)
        usb.write(0x00, 0x2300)
        #expect(usb.out([], toggle: false, address: 0, endpoint: 0) == .acknowledged)
    }

    @Test func endpointIsFoundByAddressNotByIndex() {
        entry(5, tx: 256, countTX: 3)
        put([1, 2, 3], at: 256)
        entry(6, rx: 300, countRX: 0x8400)
        // The same number twice: IN in register 5, OUT in register 6.
        usb.write(0x14, 0x0632)
        usb.write(0x18, 0x3602)
        #expect(usb.in(address: 0, endpoint: 2) == .data([1, 2, 3], toggle: false))
        #expect(usb.out([4], toggle: false, address: 0, endpoint: 2) == .acknowledged)
        #expect(usb.in(address: 0, endpoint: 3) == .silence)
        #expect(usb.in(address: 1, endpoint: 2) == .silence)
    }

    // MARK: Double buffering

    @Test func doubleBufferedOutFillsBothBuffersThenWaitsForSoftware() {
        entry(1, tx: 64, countTX: 0x8400, rx: 128, countRX: 0x8400)
        // Bulk, KIND, STAT_RX valid, SW_BUF (DTOG_TX) 1: both buffers are the block's, buffer 0 first.
        usb.write(0x04, 0x3141)
        #expect(usb.out([1], toggle: false, address: 0, endpoint: 1) == .acknowledged)
        #expect(memory(64, 1) == [1])
        #expect(usb.lines.high)
        // DTOG_RX = SW_BUF: NAK on the wire, STAT stays VALID.
        #expect(usb.out([2], toggle: true, address: 0, endpoint: 1) == .busy)
        #expect(usb.read(0x04) & 0x3000 == 0x3000)
        // Software releases its buffer by toggling SW_BUF.
        usb.write(0x04, 0x0141)
        #expect(usb.out([2], toggle: true, address: 0, endpoint: 1) == .acknowledged)
        #expect(memory(128, 1) == [2])
    }

    @Test func doubleBufferedInAlternatesBuffers() {
        entry(1, tx: 64, countTX: 1, rx: 128, countRX: 2)
        put([1], at: 64)
        put([2, 3], at: 128)
        // SW_BUF is DTOG_RX.
        usb.write(0x04, 0x4131)
        #expect(usb.in(address: 0, endpoint: 1) == .data([1], toggle: false))
        #expect(usb.in(address: 0, endpoint: 1) == .busy)
        usb.write(0x04, 0x4101)
        #expect(usb.in(address: 0, endpoint: 1) == .data([2, 3], toggle: true))
        #expect(usb.read(0x04) & 0x30 == 0x30)
    }

    // MARK: Isochronous

    @Test func isochronousUsesBothBuffersAndNeverRefuses() {
        entry(2, tx: 64, countTX: 2, rx: 128, countRX: 1)
        put([1, 2], at: 64)
        put([3], at: 128)
        usb.write(0x08, 0x0432)
        #expect(usb.in(address: 0, endpoint: 2) == .data([1, 2], toggle: false))
        #expect(usb.in(address: 0, endpoint: 2) == .data([3], toggle: false))
        #expect(usb.in(address: 0, endpoint: 2) == .data([1, 2], toggle: false))
        #expect(usb.read(0x08) & 0xB0 == 0xB0)
        #expect(usb.lines.high)
    }

    @Test func isochronousOutGoesToTheBufferOfItsToggleBit() {
        entry(2, tx: 64, countTX: 0x8400, rx: 128, countRX: 0x8400)
        usb.write(0x08, 0x3402)
        #expect(usb.out([1], toggle: false, address: 0, endpoint: 2) == .silence)
        #expect(usb.out([2, 3], toggle: false, address: 0, endpoint: 2) == .silence)
        #expect(memory(64, 1) == [1])
        #expect(memory(128, 2) == [2, 3])
        #expect(usb.readMemory(16 + 2, size: 2) == 0x8401)
        #expect(usb.readMemory(16 + 6, size: 2) == 0x8402)
    }

    // MARK: Interrupts

    @Test func eventsAreClearedByWritingZeroAndLeftByWritingOne() {
        usb.startOfFrame(5)
        usb.idleFrame()
        #expect(usb.read(0x44) & 0x0300 == 0x0300)
        usb.write(0x44, 0xFEFF & ~0x0000 | 0x0200)
        #expect(usb.read(0x44) & 0x0300 == 0x0200)
        usb.write(0x44, 0xFDFF)
        #expect(usb.read(0x44) & 0x0300 == 0)
    }

    @Test func urgentEndpointsAreReportedBeforeLowerIndexes() {
        entry(0, rx: 64, countRX: 0x8400)
        entry(3, tx: 128, countTX: 0)
        usb.write(0x00, 0x3200)
        usb.write(0x0C, 0x0433)
        #expect(usb.setup([0, 5, 1, 0, 0, 0, 0, 0], address: 0) == .acknowledged)
        #expect(usb.in(address: 0, endpoint: 3) == .data([], toggle: false))
        #expect(usb.read(0x44) & 0x801F == 0x8003)
    }

    @Test func forceResetIsAnEventAndMaskedEventsRaiseNoLine() {
        usb.write(0x40, 0x0001)
        #expect(usb.read(0x44) & 0x0400 == 0x0400)
        #expect(!usb.lines.low)
        usb.write(0x40, 0x0401)
        #expect(usb.lines.low)
        usb.write(0x44, 0)
        #expect(!usb.lines.low)
    }

    // MARK: Suspend, attach

    @Test func threeFramesWithoutStartMeanSuspendAndActivityWakes() {
        for _ in 0..<2 { usb.idleFrame() }
        #expect(usb.read(0x44) & 0x0800 == 0)
        usb.idleFrame()
        #expect(usb.read(0x44) & 0x0800 == 0x0800)
        usb.write(0x40, 0xBF0C)
        usb.write(0x44, 0)
        usb.idleFrame()
        #expect(usb.read(0x44) & 0x0B00 == 0)
        usb.resume()
        #expect(usb.read(0x44) & 0x1000 == 0x1000)
        #expect(usb.lines.wakeUp)
        // LPMODE is cleared by the block, FSUSP is firmware's.
        #expect(usb.read(0x40) & 0x000C == 0x0008)
        // K state: RXDM.
        #expect(usb.read(0x48) & 0xC000 == 0x4000)
    }

    @Test func firmwareThatDrivesResumeIsSeenAndCountsFrames() {
        usb.write(0x40, 0xBF08)
        usb.write(0x44, 0)
        #expect(!usb.isSignallingResume)
        usb.write(0x40, 0xBF18)
        #expect(usb.isSignallingResume)
        usb.idleFrame()
        #expect(usb.read(0x44) & 0x0100 == 0x0100)
    }

    @Test func internalPullUpAttachesAndEveryDetachIsCounted() {
        #expect(usb.isAttached)
        usb.write(0x58, 0)
        usb.write(0x58, 0x8000)
        #expect(usb.isAttached)
        #expect(usb.detachCount == 1)
        usb.isClocked = false
        #expect(!usb.isAttached)
    }

    @Test func chipWithoutPullUpAttachesWhenItIsPoweredAndOutOfReset() {
        let usb = FSDEV(variant: .f1)
        #expect(!usb.isAttached)
        usb.write(0x40, 0x0001)
        #expect(!usb.isAttached)
        usb.write(0x40, 0)
        #expect(usb.isAttached)
        usb.isBoardPullUpOn = false
        #expect(!usb.isAttached)
        // No BCDR there.
        usb.write(0x58, 0x8000)
        #expect(usb.read(0x58) == 0)
    }

    // MARK: Packet memory

    @Test func spreadMemoryHasAHalfwordInEachWord() {
        let usb = FSDEV(variant: .f1)
        usb.writeMemory(0, 0xAAAA_1234, size: 4)
        usb.writeMemory(4, 0x5678, size: 2)
        #expect(usb.readMemory(0, size: 4) == 0x1234)
        #expect(usb.readMemory(2, size: 2) == 0)
        #expect(usb.bytes(at: 0, count: 4) == [0x34, 0x12, 0x78, 0x56])
        #expect(usb.memoryWindow == 1024)
    }

    @Test func packedMemoryIsPlainAndAddressesWrap() {
        usb.writeMemory(4, 0x8765_4321, size: 4)
        #expect(usb.readMemory(4, size: 4) == 0x8765_4321)
        #expect(usb.bytes(at: 1024 + 4, count: 2) == [0x21, 0x43])
    }
}
