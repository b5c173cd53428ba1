/// Interface descriptor, 9 bytes (USB 2.0 table 9-12), with its class descriptors and endpoints.
public struct InterfaceDescriptor: Sendable, Equatable {
    public var interfaceNumber: UInt8
    public var alternateSetting: UInt8
    public var interfaceClass: UInt8
    public var interfaceSubClass: UInt8
    public var interfaceProtocol: UInt8
    public var stringIndex: UInt8
    /// Whole class-specific descriptors between the interface and its first endpoint.
    public var classDescriptors: [[UInt8]]
    public var endpoints: [EndpointDescriptor]

    public init(
        interfaceNumber: UInt8, alternateSetting: UInt8 = 0, interfaceClass: UInt8, interfaceSubClass: UInt8,
        interfaceProtocol: UInt8, stringIndex: UInt8 = 0, classDescriptors: [[UInt8]] = [],
        endpoints: [EndpointDescriptor] = []
    ) {
        self.interfaceNumber = interfaceNumber
        self.alternateSetting = alternateSetting
        self.interfaceClass = interfaceClass
        self.interfaceSubClass = interfaceSubClass
        self.interfaceProtocol = interfaceProtocol
        self.stringIndex = stringIndex
        self.classDescriptors = classDescriptors
        self.endpoints = endpoints
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = [
            9, DescriptorType.interface, interfaceNumber, alternateSetting, UInt8(truncatingIfNeeded: endpoints.count),
            interfaceClass, interfaceSubClass, interfaceProtocol, stringIndex,
        ]
        for descriptor in classDescriptors { out += descriptor }
        for endpoint in endpoints { out += endpoint.bytes }
        return out
    }
}

/// Interface association descriptor, 8 bytes (USB 2.0 ECN, table 9-Z).
public struct InterfaceAssociation: Sendable, Equatable {
    public var firstInterface: UInt8
    public var interfaceCount: UInt8
    public var functionClass: UInt8
    public var functionSubClass: UInt8
    public var functionProtocol: UInt8
    public var stringIndex: UInt8

    public init(
        firstInterface: UInt8, interfaceCount: UInt8, functionClass: UInt8, functionSubClass: UInt8,
        functionProtocol: UInt8, stringIndex: UInt8 = 0
    ) {
        self.firstInterface = firstInterface
        self.interfaceCount = interfaceCount
        self.functionClass = functionClass
        self.functionSubClass = functionSubClass
        self.functionProtocol = functionProtocol
        self.stringIndex = stringIndex
    }

    public var bytes: [UInt8] {
        [
            8, DescriptorType.interfaceAssociation, firstInterface, interfaceCount, functionClass, functionSubClass,
            functionProtocol, stringIndex,
        ]
    }
}
