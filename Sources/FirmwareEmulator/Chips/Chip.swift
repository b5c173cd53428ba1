/// A microcontroller as data: core, memories, and what its family has.
public struct Chip: Sendable {
    /// As configuration names it, `stm32f072`.
    public let name: String
    public let core: CoreModel
    public let flashBase: UInt32
    /// Bytes.
    public let flashSize: UInt32
    public let memoryBase: UInt32
    public let memorySize: UInt32
    let family: Family

    enum Family: Sendable {
        case stm32(STM32Description)
        case rp2040
    }

    /// The chip's memories and peripherals, on the bus of a machine.
    func assemble(_ context: ChipContext) -> any ChipAssembly {
        switch family {
        case .stm32(let description): STM32(description, context)
        case .rp2040: RP2040(context)
        }
    }
}
