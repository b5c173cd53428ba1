import USBCore
import USBDevice

/// The least a function can do: gives blocks of one size for ever and swallows whatever comes.
final class LoopFunction: Function {
    /// What a composition gives to the only function of a device.
    static let inAddress: UInt8 = 0x81
    static let outAddress: UInt8 = 0x01

    let name = "loop"
    let kind = "benchmark"
    let backend = "memory"
    private let block: [UInt8]
    private var context: (any FunctionContext)?

    init(blockSize: Int) {
        block = Array(repeating: 0x2E, count: blockSize)
    }

    func declaration(at speed: Speed) -> FunctionDeclaration {
        let vendor = ClassCode(0xFF, 0, 0)
        return FunctionDeclaration(
            classCode: vendor,
            interfaces: [
                InterfaceDeclaration(
                    classCode: vendor,
                    endpoints: [
                        EndpointDeclaration(.loopIn, .in, .bulk), EndpointDeclaration(.loopOut, .out, .bulk),
                    ])
            ])
    }

    func attach(_ context: any FunctionContext) { self.context = context }

    func activate() { context?.write(block, to: .loopIn, endOfMessage: false) }

    func deactivate() {}

    func endpointReady(_ endpoint: EndpointKey) {
        if endpoint == .loopIn {
            context?.write(block, to: .loopIn, endOfMessage: false)
        } else {
            while context?.read(.loopOut) != nil {}
        }
    }
}

extension EndpointKey {
    fileprivate static let loopIn: EndpointKey = "in"
    fileprivate static let loopOut: EndpointKey = "out"
}
