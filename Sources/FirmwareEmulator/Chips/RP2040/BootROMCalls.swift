/// Does what functions of the boot ROM do, when their code writes to its registers. Arguments and results are in the
/// core's registers, as the Arm procedure call standard says.
final class BootROMCalls: Peripheral {
    let name = "boot ROM"
    let base = BootROM.calls
    let size: UInt32 = 0x400

    /// Bytes that one call may touch: as much as the largest memory has.
    private static let limit: UInt32 = 1 << 24

    private let cores: CoreGroup
    private let functions: [BootROMFunction]
    private let serialFlash: SerialFlash
    private let onUSBBoot: () -> Void

    /// - Parameter onUSBBoot: firmware asked for the ROM's own USB device, which is not there.
    init(cores: CoreGroup, functions: [BootROMFunction], serialFlash: SerialFlash, onUSBBoot: @escaping () -> Void) {
        self.cores = cores
        self.functions = functions
        self.serialFlash = serialFlash
        self.onUSBBoot = onUSBBoot
    }

    func reset() {}
    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { 0 }

    private var machine: Machine { cores.machine }
    private var r: UnsafeMutablePointer<UInt32> { machine.registers }

    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) {
        guard offset & 3 == 0, functions.indices.contains(Int(offset / 4)) else { return }
        switch functions[Int(offset / 4)] {
        case .lookup: lookup()
        case .popcount: r[0] = UInt32(r[0].nonzeroBitCount)
        case .reverse: r[0] = (0..<32).reduce(0) { $0 | (r[0] >> UInt32($1) & 1) << UInt32(31 - $1) }
        case .leadingZeros: r[0] = UInt32(r[0].leadingZeroBitCount)
        case .trailingZeros: r[0] = UInt32(r[0].trailingZeroBitCount)
        case .fill: fill()
        case .copy: copy()
        case .nothing: break
        case .eraseFlash:
            guard let (start, count) = flashRange(r[0], r[1]) else { break }
            serialFlash.erase(start, count)
        case .programFlash:
            guard let (start, count) = flashRange(r[0], r[2]) else { break }
            serialFlash.program(start, machine.memory.bytes(at: r[1], count: Int(count)))
        case .usbBoot: onUSBBoot()
        case .float(let operation): BootROMFloats.perform(operation, machine)
        case .double(let operation): BootROMFloats.performDouble(operation, machine)
        }
    }

    /// rom_table_lookup(table, code).
    private func lookup() {
        let memory = machine.memory
        var place = r[0]
        let code = r[1] & 0xFFFF
        for _ in 0..<256 {
            guard let found = memory.read(place, width: .half), found != 0 else { break }
            if found == code {
                r[0] = memory.read(place &+ 2, width: .half) ?? 0
                return
            }
            place &+= 4
        }
        r[0] = 0
    }

    /// memset(pointer, byte, count): the pointer stays in r0.
    private func fill() {
        guard r[2] <= Self.limit else { return }
        machine.memory.write(repeatElement(UInt8(truncatingIfNeeded: r[1]), count: Int(r[2])), at: r[0])
    }

    /// memcpy(destination, source, count).
    private func copy() {
        guard r[2] <= Self.limit else { return }
        let bytes = machine.memory.bytes(at: r[1], count: Int(r[2]))
        if bytes.count == Int(r[2]), isMemory(r[0]) {
            machine.memory.write(bytes, at: r[0])
            return
        }
        // Into or out of registers, the controller's packet memory for one.
        for index in 0..<r[2] {
            guard let byte = machine.memory.read(r[1] &+ index, width: .byte),
                machine.memory.write(r[0] &+ index, width: .byte, value: byte)
            else { return }
        }
    }

    private func isMemory(_ address: UInt32) -> Bool {
        if case .memory? = machine.memory.target(at: address) { true } else { false }
    }

    private func flashRange(_ start: UInt32, _ count: UInt32) -> (UInt32, UInt32)? {
        let size = machine.memory.regions.first { $0.kind == .flash }?.size ?? 0
        guard start < size, count <= size - start else { return nil }
        return (start, count)
    }
}
