/// Microsoft OS 2.0 descriptor set: binds in-box drivers on Windows 8.1 and later (Microsoft OS 2.0 descriptors, section 2).
public struct MicrosoftOS20: Sendable, Equatable {
    /// wIndex of the vendor request that reads the set.
    public static let descriptorIndex: UInt16 = 7

    /// One function: its first interface and the compatible id, at most 8 ASCII characters.
    public struct FunctionSubset: Sendable, Equatable {
        public var firstInterface: UInt8
        public var compatibleID: String

        public init(firstInterface: UInt8, compatibleID: String) {
            self.firstInterface = firstInterface
            self.compatibleID = compatibleID
        }
    }

    public var functions: [FunctionSubset]
    /// A device of one function carries the id for the whole device: Windows reads no function subsets there.
    public var isComposite: Bool

    public init(functions: [FunctionSubset], isComposite: Bool) {
        self.functions = functions
        self.isComposite = isComposite
    }

    public var bytes: [UInt8] {
        var body: [UInt8] = []
        if isComposite {
            var subsets: [UInt8] = []
            for function in functions {
                subsets.append(little: 8 as UInt16)
                subsets.append(little: 2 as UInt16)
                subsets += [function.firstInterface, 0]
                subsets.append(little: 28 as UInt16)
                subsets += Self.compatibleIDBytes(function.compatibleID)
            }
            body.append(little: 8 as UInt16)
            body.append(little: 1 as UInt16)
            body += [0, 0]
            body.append(little: UInt16(clamping: 8 + subsets.count))
            body += subsets
        } else if let function = functions.first {
            body += Self.compatibleIDBytes(function.compatibleID)
        }
        var out: [UInt8] = []
        out.append(little: 10 as UInt16)
        out.append(little: 0 as UInt16)
        out.append(little: 0x0603_0000 as UInt32)
        out.append(little: UInt16(clamping: 10 + body.count))
        return out + body
    }

    private static func compatibleIDBytes(_ id: String) -> [UInt8] {
        var out: [UInt8] = []
        out.append(little: 20 as UInt16)
        out.append(little: 3 as UInt16)
        let name = Array(id.utf8.prefix(8))
        return out + name + [UInt8](repeating: 0, count: 16 - name.count)
    }
}
