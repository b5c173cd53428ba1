extension Chip {
    /// With the 2 MiB of flash that the Pico has.
    static let rp2040 = Chip(
        name: "rp2040", core: .cortexM0plus, flashBase: RP2040.flashBase, flashSize: 2 << 20,
        memoryBase: RP2040.memoryBase, memorySize: RP2040.memorySize, family: .rp2040)
}
