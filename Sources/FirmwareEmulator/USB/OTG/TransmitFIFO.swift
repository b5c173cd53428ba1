/// The transmit FIFO of one IN endpoint: whole packets, and one that firmware is still writing.
struct TransmitFIFO {
    /// DIEPTXF: start in the high half's unit, depth in words; the start is of no consequence here.
    var register: UInt32 = 0
    private(set) var packets: [[UInt8]] = []
    private var partial: [UInt8] = []
    private(set) var usedWords = 0

    /// Words.
    var depth: Int { min(Int(register >> 16), OTGController.memoryWords) }
    var freeWords: Int { max(0, depth - usedWords) }

    mutating func flush() {
        packets = []
        partial = []
        usedWords = 0
    }

    /// Firmware writes a word. What does not fit is lost, as it would be overwritten in the chip.
    ///
    /// - Parameter packetLength: bytes of the packet that is being written.
    /// - Returns: a packet of this length is complete.
    mutating func push(_ word: UInt32, packetLength: Int) -> Bool {
        guard freeWords > 0 else { return false }
        usedWords += 1
        for shift in stride(from: UInt32(0), to: 32, by: 8) { partial.append(UInt8(truncatingIfNeeded: word >> shift)) }
        guard packetLength > 0, partial.count >= packetLength else { return false }
        packets.append(Array(partial.prefix(packetLength)))
        partial = []
        return true
    }

    /// The next packet leaves.
    mutating func pop() {
        guard !packets.isEmpty else { return }
        usedWords -= (packets.removeFirst().count + 3) / 4
    }
}
