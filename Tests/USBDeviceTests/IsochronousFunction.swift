import USBCore

@testable import USBDevice

/// An interface of four isochronous endpoints in alternate setting 1: IN each ms, OUT each ms, IN each microframe, IN
/// each 4 ms.
final class IsochronousFunction: Function {
    let name = "iso"
    let kind = "test"
    let backend = "test"
    var context: (any FunctionContext)?
    /// Asked for each packet; the interval's number by default.
    var packet: (_ interval: Int, _ length: Int) -> [UInt8] = { interval, _ in [UInt8(truncatingIfNeeded: interval)] }
    private(set) var received: [(interval: Int, bytes: [UInt8])] = []
    private(set) var asked: [Int] = []

    func declaration(at speed: Speed) -> FunctionDeclaration {
        FunctionDeclaration(
            classCode: ClassCode(0xFF, 0, 0),
            interfaces: [
                InterfaceDeclaration(
                    classCode: ClassCode(0xFF, 0, 0),
                    alternates: [
                        AlternateDeclaration(endpoints: []),
                        AlternateDeclaration(endpoints: [
                            EndpointDeclaration(
                                "in", .in, .isochronous, maxPacketSize: 96, intervalMilliseconds: 1,
                                isochronousAttributes: 0x0C, extra: [0, 0], classDescriptors: [[3, 0x25, 1]]),
                            EndpointDeclaration(
                                "out", .out, .isochronous, maxPacketSize: 96, intervalMilliseconds: 1),
                            EndpointDeclaration(
                                "fast", .in, .isochronous, maxPacketSize: 96, intervalMilliseconds: 1,
                                intervalMicroframes: 1),
                            EndpointDeclaration(
                                "slow", .in, .isochronous, maxPacketSize: 96, intervalMilliseconds: 4),
                        ]),
                    ])
            ])
    }
    func attach(_ context: any FunctionContext) { self.context = context }
    func activate() {}
    func deactivate() {}
    func endpointReady(_ endpoint: EndpointKey) {}
    func isochronousPacket(_ endpoint: EndpointKey, interval: Int, length: Int) -> [UInt8] {
        asked.append(interval)
        return packet(interval, length)
    }
    func isochronousReceived(_ endpoint: EndpointKey, interval: Int, _ bytes: [UInt8]) {
        received.append((interval, bytes))
    }
}
