import USBCore
import USBDevice

/// A function that keeps what it is told and does what a test says.
final class TestFunction: Function {
    let name: String
    let kind = "test"
    let backend = "test"
    var declare: (Speed) -> FunctionDeclaration
    /// Called in `endpointReady`.
    var onReady: (TestFunction, EndpointKey) -> Void = { _, _ in }
    var onDeactivate: (TestFunction) -> Void = { _ in }
    var onControl: (SetupPacket, [UInt8], Int) -> ControlReply = { _, _, _ in .stall }
    private(set) var context: (any FunctionContext)?
    private(set) var log: [String] = []
    private(set) var received: [[UInt8]] = []

    init(_ name: String, declare: @escaping (Speed) -> FunctionDeclaration) {
        self.name = name
        self.declare = declare
    }

    func declaration(at speed: Speed) -> FunctionDeclaration { declare(speed) }
    func attach(_ context: any FunctionContext) { self.context = context }
    func activate() { log.append("activate") }
    func deactivate() {
        log.append("deactivate")
        onDeactivate(self)
    }
    func alternateSettingChanged(interface offset: Int, to setting: UInt8) {
        log.append("alternate \(offset) \(setting)")
    }
    func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        onControl(setup, data, offset)
    }
    func endpointReady(_ endpoint: EndpointKey) { onReady(self, endpoint) }
    func shutdown() { log.append("shutdown") }

    func write(_ bytes: [UInt8], endOfMessage: Bool = false, to endpoint: EndpointKey = "in") {
        context?.write(bytes, to: endpoint, endOfMessage: endOfMessage)
    }
    /// Takes all that waits.
    func drain(_ endpoint: EndpointKey = "out") {
        while let bytes = context?.read(endpoint) { received.append(bytes) }
    }
    func clearLog() { log = [] }

    /// One vendor interface with bulk endpoints `in` and `out`; takes OUT data as it comes.
    static func pipe(_ name: String, compatibleID: String? = nil) -> TestFunction {
        let function = TestFunction(name) { _ in
            FunctionDeclaration(
                classCode: ClassCode(0xFF, 0, 0),
                interfaces: [
                    InterfaceDeclaration(
                        classCode: ClassCode(0xFF, 0, 0),
                        endpoints: [
                            EndpointDeclaration("in", .in, .bulk), EndpointDeclaration("out", .out, .bulk),
                        ])
                ], compatibleID: compatibleID)
        }
        function.onReady = { function, endpoint in if endpoint == "out" { function.drain() } }
        return function
    }

    /// Two interfaces as of a network card: `notify`, and data endpoints in alternate setting 1 only.
    static func network(_ name: String) -> TestFunction {
        TestFunction(name) { _ in
            FunctionDeclaration(
                classCode: ClassCode(2, 0x0D, 0),
                interfaces: [
                    InterfaceDeclaration(
                        classCode: ClassCode(2, 0x0D, 0),
                        endpoints: [EndpointDeclaration("notify", .in, .interrupt, maxPacketSize: 16)]),
                    InterfaceDeclaration(
                        classCode: ClassCode(0x0A, 0, 1),
                        alternates: [
                            AlternateDeclaration(endpoints: []),
                            AlternateDeclaration(endpoints: [
                                EndpointDeclaration("in", .in, .bulk), EndpointDeclaration("out", .out, .bulk),
                            ]),
                        ]),
                ])
        }
    }

    /// One interface without endpoints.
    static func bare(_ name: String) -> TestFunction {
        TestFunction(name) { _ in
            FunctionDeclaration(
                classCode: ClassCode(0xFF, 1, 0),
                interfaces: [InterfaceDeclaration(classCode: ClassCode(0xFF, 1, 0), endpoints: [])])
        }
    }
}
