import USBCore

/// The descriptors that a set of functions makes at one speed, and who owns which number in them.
///
/// Endpoint addresses are given out over all functions, hidden ones included, so that an interface keeps its addresses
/// when a sibling is switched; interface numbers count what is visible, since USB wants them without holes.
struct Composition {
    /// wIndex-free request code under which the Microsoft OS 2.0 set is read.
    static let microsoftVendorCode: UInt8 = 0x20

    /// Owner of one bInterfaceNumber.
    struct InterfaceOwner {
        var function: Int
        /// Position in the function's declaration.
        var offset: Int
        var alternates: [AlternateDeclaration]
    }

    /// One endpoint of one alternate setting.
    struct EndpointOwner {
        var function: Int
        var key: EndpointKey
        var interface: UInt8
        var alternateSetting: UInt8
        var descriptor: EndpointDescriptor
        /// See `EndpointDeclaration.isExact`.
        var isExact = false
    }

    let speed: Speed
    let device: DeviceDescriptor
    let configuration: ConfigurationDescriptor
    let binaryObjectStore: BinaryObjectStore
    let microsoft: MicrosoftOS20
    let strings: [String]
    /// By bInterfaceNumber.
    let interfaces: [InterfaceOwner]
    let endpoints: [EndpointOwner]

    init(
        identity: DeviceIdentity, functions: [any Function], isHidden: (Int) -> Bool, at speed: Speed
    ) throws(CompositionError) {
        guard !functions.isEmpty else { throw .noFunctions }
        var strings = [identity.manufacturer, identity.product, identity.serialNumber]
        var owners: [InterfaceOwner] = []
        var endpoints: [EndpointOwner] = []
        var interfaces: [InterfaceDescriptor] = []
        var associations: [InterfaceAssociation] = []
        var subsets: [MicrosoftOS20.FunctionSubset] = []
        var numbers = EndpointNumbers()
        var visibleFunctions = 0

        for (index, function) in functions.enumerated() {
            let declaration = function.declaration(at: speed)
            guard let addresses = numbers.assign(declaration) else { throw .tooManyEndpoints(function: function.name) }
            if isHidden(index) { continue }
            visibleFunctions += 1
            guard owners.count + declaration.interfaces.count <= 32 else {
                throw .tooManyInterfaces(function: function.name)
            }
            let first = UInt8(owners.count)
            strings.append(function.name)
            let stringIndex = UInt8(strings.count)
            if declaration.interfaces.count > 1 {
                associations.append(
                    InterfaceAssociation(
                        firstInterface: first, interfaceCount: UInt8(declaration.interfaces.count),
                        functionClass: declaration.classCode.code, functionSubClass: declaration.classCode.subclass,
                        functionProtocol: declaration.classCode.protocol, stringIndex: stringIndex))
            }
            if let id = declaration.compatibleID {
                subsets.append(.init(firstInterface: first, compatibleID: id))
            }
            for (offset, interface) in declaration.interfaces.enumerated() {
                let number = UInt8(owners.count)
                owners.append(InterfaceOwner(function: index, offset: offset, alternates: interface.alternates))
                for (setting, alternate) in interface.alternates.enumerated() {
                    let descriptors = alternate.endpoints.compactMap { endpoint in
                        addresses[endpoint.key].map { endpoint.descriptor(address: $0, at: speed) }
                    }
                    for (endpoint, descriptor) in zip(alternate.endpoints, descriptors) {
                        endpoints.append(
                            EndpointOwner(
                                function: index, key: endpoint.key, interface: number,
                                alternateSetting: UInt8(truncatingIfNeeded: setting), descriptor: descriptor,
                                isExact: endpoint.isExact))
                    }
                    var classDescriptors = alternate.classDescriptors(first)
                    for string in alternate.strings
                    where classDescriptors.indices.contains(string.descriptor)
                        && classDescriptors[string.descriptor].indices.contains(string.byte)
                    {
                        strings.append(string.text)
                        classDescriptors[string.descriptor][string.byte] = UInt8(truncatingIfNeeded: strings.count)
                    }
                    interfaces.append(
                        InterfaceDescriptor(
                            interfaceNumber: number, alternateSetting: UInt8(truncatingIfNeeded: setting),
                            interfaceClass: interface.classCode.code, interfaceSubClass: interface.classCode.subclass,
                            interfaceProtocol: interface.classCode.protocol,
                            stringIndex: offset == 0 ? stringIndex : 0,
                            classDescriptors: classDescriptors, endpoints: descriptors))
                }
            }
        }

        let isComposite = visibleFunctions > 1 || !associations.isEmpty
        self.speed = speed
        self.strings = strings
        self.interfaces = owners
        self.endpoints = endpoints
        microsoft = MicrosoftOS20(functions: subsets, isComposite: isComposite)
        configuration = ConfigurationDescriptor(associations: associations, interfaces: interfaces)
        var capabilities = [BinaryObjectStore.usb20Extension]
        if speed == .super { capabilities.append(BinaryObjectStore.superSpeed) }
        if !subsets.isEmpty {
            capabilities.append(
                BinaryObjectStore.microsoftOS20(
                    setLength: UInt16(clamping: microsoft.bytes.count), vendorCode: Self.microsoftVendorCode))
        }
        binaryObjectStore = BinaryObjectStore(capabilities: capabilities)
        device = DeviceDescriptor(
            usbRelease: speed == .super ? 0x0320 : 0x0210, deviceClass: isComposite ? 0xEF : 0,
            deviceSubClass: isComposite ? 2 : 0, deviceProtocol: isComposite ? 1 : 0,
            maxPacketSize0: speed == .super ? 9 : UInt8(speed.controlPacketSize), idVendor: identity.idVendor,
            idProduct: identity.idProduct, deviceRelease: identity.deviceRelease, manufacturerIndex: 1, productIndex: 2,
            serialNumberIndex: 3)
    }

    /// The first bInterfaceNumber of a function; nil while it is hidden.
    func firstInterface(of function: Int) -> UInt8? {
        interfaces.firstIndex { $0.function == function }.map { UInt8($0) }
    }
}

/// Gives out endpoint numbers 1...15 per direction, the next free one unless another is wished and free; alternate
/// settings of one interface share an address per key.
private struct EndpointNumbers {
    private var free: [Direction: [UInt8]] = [.in: Array(1...15), .out: Array(1...15)]

    mutating func assign(_ declaration: FunctionDeclaration) -> [EndpointKey: EndpointAddress]? {
        var addresses: [EndpointKey: EndpointAddress] = [:]
        for endpoint in declaration.interfaces.flatMap(\.alternates).flatMap(\.endpoints)
        where addresses[endpoint.key] == nil {
            let left = free[endpoint.direction, default: []]
            guard let number = left.first(where: { $0 == endpoint.wishedNumber }) ?? left.first else { return nil }
            free[endpoint.direction] = left.filter { $0 != number }
            addresses[endpoint.key] = EndpointAddress(number, endpoint.direction)
        }
        return addresses
    }
}

extension EndpointDeclaration {
    /// Packet size and bInterval for a speed (USB 2.0 sections 5.6 to 5.8, table 9-13).
    func descriptor(address: EndpointAddress, at speed: Speed) -> EndpointDescriptor {
        let largest: Int =
            switch (type, speed) {
            case (.bulk, _): speed.bulkPacketSize ?? 8
            case (.interrupt, .low): 8
            case (.interrupt, .full): 64
            case (.isochronous, .low), (.isochronous, .full): 1023
            case (.interrupt, _), (.isochronous, _): 1024
            case (.control, _): speed.controlPacketSize
            }
        let size = type == .bulk ? largest : min(largest, maxPacketSize ?? 64)
        var interval: UInt8 = 0
        if type == .interrupt || type == .isochronous {
            let milliseconds = max(1, min(255, intervalMilliseconds))
            if speed >= .high {
                let microframes = max(1, min(32768, intervalMicroframes ?? milliseconds * 8))
                let exponent = microframes.bitWidth - 1 - microframes.leadingZeroBitCount
                interval = UInt8(min(16, exponent + 1))
            } else {
                // The exponent has this meaning for isochronous endpoints at full speed too.
                let exponent = milliseconds.bitWidth - 1 - milliseconds.leadingZeroBitCount
                interval = UInt8(type == .isochronous ? exponent + 1 : milliseconds)
            }
        }
        return EndpointDescriptor(
            address: address, attributes: type.rawValue | (type == .isochronous ? isochronousAttributes & 0x3C : 0),
            maxPacketSizeWord: UInt16(size), interval: interval, extra: extra,
            companion: speed == .super
                ? SuperSpeedEndpointCompanion(bytesPerInterval: type == .bulk ? 0 : UInt16(size)) : nil,
            classDescriptors: classDescriptors)
    }
}
