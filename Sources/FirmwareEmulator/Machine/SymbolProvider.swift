/// Names for addresses, from an ELF symbol table.
public protocol SymbolProvider {
    /// The symbol that covers `address`, or the nearest one before it in the same section, and the distance to it.
    func symbol(at address: UInt32) -> (name: String, offset: UInt32)?
}
