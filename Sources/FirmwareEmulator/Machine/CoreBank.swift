/// The cores of a chip that share a memory map, and which of them has its turn.
final class CoreGroup {
    /// Peripherals hold the group and the machines hold the peripherals.
    private struct Reference { unowned let machine: Machine }

    private var references: [Reference]
    var current = 0

    init(_ first: Machine) { references = [Reference(machine: first)] }

    func add(_ machine: Machine) { references.append(Reference(machine: machine)) }

    var machines: [Machine] { references.map(\.machine) }

    /// The one whose instruction is being executed.
    var machine: Machine { references[current].machine }
}

/// Registers of which each core sees its own at the same address.
final class CoreBank: Peripheral {
    let name: String
    let base: UInt32
    let size: UInt32
    private let banks: [any Peripheral]
    private let cores: CoreGroup

    /// - Parameter banks: one for each core, with the same name and addresses.
    init(_ banks: [any Peripheral], _ cores: CoreGroup) {
        name = banks[0].name
        base = banks[0].base
        size = banks[0].size
        self.banks = banks
        self.cores = cores
    }

    private var bank: any Peripheral { banks[cores.current] }

    func reset() { for bank in banks { bank.reset() } }
    func read(_ offset: UInt32, width: AccessWidth) -> UInt32 { bank.read(offset, width: width) }
    func write(_ offset: UInt32, width: AccessWidth, value: UInt32) { bank.write(offset, width: width, value: value) }

    func isNeutral(_ offset: UInt32, width: AccessWidth, value: UInt32) -> Bool {
        bank.isNeutral(offset, width: width, value: value)
    }

    func isStable(_ offset: UInt32) -> Bool { bank.isStable(offset) }
    func isLoopPrivate(_ offset: UInt32) -> Bool { bank.isLoopPrivate(offset) }
    func isReadFreely(_ offset: UInt32) -> Bool { bank.isReadFreely(offset) }
    var loopState: [UInt32] { bank.loopState }
}

/// Interrupt lines that go to every core; which of them takes an interrupt is what it has enabled.
final class CoreLines: InterruptLines {
    private let cores: [any InterruptLines]

    init(_ cores: [any InterruptLines]) { self.cores = cores }

    func setLine(_ irq: Int, _ isHigh: Bool) { for core in cores { core.setLine(irq, isHigh) } }
    func pend(_ irq: Int) { for core in cores { core.pend(irq) } }
}
