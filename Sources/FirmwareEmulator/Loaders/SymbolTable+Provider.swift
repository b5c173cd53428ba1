extension SymbolTable: SymbolProvider {
    public func symbol(at address: UInt32) -> (name: String, offset: UInt32)? {
        guard let found = find(address) else { return nil }
        return (found.name, address - found.address)
    }
}
