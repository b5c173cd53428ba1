/// Names of functions and objects by address, for fault reports and traces.
public struct SymbolTable: Sendable, Equatable {
    /// Most symbols kept of one file.
    public static let maximumCount = 200_000

    public struct Symbol: Sendable, Equatable {
        public var address: UInt32
        public var size: UInt32
        public var name: String

        public init(address: UInt32, size: UInt32, name: String) {
            self.address = address
            self.size = size
            self.name = name
        }
    }

    /// By address.
    public let symbols: [Symbol]

    public init(_ symbols: [Symbol] = []) {
        self.symbols = symbols.sorted { ($0.address, $0.size, $0.name) < ($1.address, $1.size, $1.name) }
    }

    public var isEmpty: Bool { symbols.isEmpty }

    /// The last symbol at or below an address, when the address lies in it (or it has no size).
    public func find(_ address: UInt32) -> Symbol? {
        var low = 0
        var high = symbols.count
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let found = symbols[low - 1]
        // What has no size still does not reach from one memory into another.
        guard address - found.address < (found.size == 0 ? 1 << 16 : found.size) else { return nil }
        return found
    }

    /// `main+0x1c`; nil when nothing is near.
    public func name(at address: UInt32) -> String? {
        guard let symbol = find(address) else { return nil }
        let offset = address - symbol.address
        return offset == 0 ? symbol.name : "\(symbol.name)+0x\(String(offset, radix: 16))"
    }

    /// The address of a name, `nil` when there is none or it is used twice for different places.
    public func address(of name: String) -> UInt32? {
        let found = Set(symbols.lazy.filter { $0.name == name }.map(\.address))
        return found.count == 1 ? found.first : nil
    }
}
