import NIOCore

/// One device of a list: its record and the interfaces of its configuration in force.
public struct ListedDevice: Sendable, Equatable {
    public var record: DeviceRecord
    public let interfaces: [InterfaceRecord]

    /// - Parameter interfaces: at most 255; the record's count is made to agree, or clients lose the framing.
    public init(record: DeviceRecord, interfaces: [InterfaceRecord]) {
        self.record = record
        self.interfaces = Array(interfaces.prefix(Int(UInt8.max)))
        self.record.interfaceCount = UInt8(clamping: interfaces.count)
    }

    func write(to buffer: inout ByteBuffer) {
        record.write(to: &buffer)
        for interface in interfaces {
            buffer.writeMultipleIntegers(
                interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol, 0 as UInt8)
        }
    }

    init?(readingFrom buffer: inout ByteBuffer) {
        guard let record = DeviceRecord(readingFrom: &buffer) else { return nil }
        var interfaces: [InterfaceRecord] = []
        for _ in 0..<record.interfaceCount {
            guard let bytes = buffer.readMultipleIntegers(as: (UInt8, UInt8, UInt8, UInt8).self) else { return nil }
            interfaces.append(InterfaceRecord(bytes.0, bytes.1, bytes.2))
        }
        self.init(record: record, interfaces: interfaces)
    }
}

/// The four bytes that describe an interface in a list; the last is padding.
public struct InterfaceRecord: Sendable, Equatable {
    public var interfaceClass: UInt8
    public var interfaceSubClass: UInt8
    public var interfaceProtocol: UInt8

    public init(_ interfaceClass: UInt8, _ interfaceSubClass: UInt8, _ interfaceProtocol: UInt8) {
        self.interfaceClass = interfaceClass
        self.interfaceSubClass = interfaceSubClass
        self.interfaceProtocol = interfaceProtocol
    }
}
