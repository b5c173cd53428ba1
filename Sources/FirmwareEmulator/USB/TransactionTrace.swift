/// Tells of each transaction on the wire, one line each, for an engineer; the controller behind it notices nothing.
final class TransactionTrace: USBDeviceController {
    private let controller: any USBDeviceController
    private let report: (String) -> Void
    /// The last line, so that repeated refusals are told once.
    private var last = ""

    init(_ controller: any USBDeviceController, report: @escaping (String) -> Void) {
        self.controller = controller
        self.report = report
    }

    var isAttached: Bool { controller.isAttached }
    var detachCount: Int { controller.detachCount }
    var isSignallingResume: Bool { controller.isSignallingResume }
    var address: UInt8? { controller.address }
    var activity: UInt64 { controller.activity }

    func busReset() {
        tell("bus reset")
        controller.busReset()
    }

    func startOfFrame(_ number: UInt16) { controller.startOfFrame(number) }
    func endPeriodicFrame() { controller.endPeriodicFrame() }
    func idleFrame() { controller.idleFrame() }

    func resume() {
        tell("resume")
        controller.resume()
    }

    func setup(_ bytes: [UInt8], address: UInt8) -> Handshake {
        let answer = controller.setup(bytes, address: address)
        tell("\(address).0 SETUP \(text(bytes[...])) -> \(answer)")
        return answer
    }

    func out(_ data: ArraySlice<UInt8>, toggle: Bool, address: UInt8, endpoint: UInt8) -> Handshake {
        let answer = controller.out(data, toggle: toggle, address: address, endpoint: endpoint)
        tell("\(address).\(endpoint) OUT DATA\(toggle ? 1 : 0) \(text(data)) -> \(answer)")
        return answer
    }

    func `in`(address: UInt8, endpoint: UInt8) -> InAnswer {
        let answer = controller.in(address: address, endpoint: endpoint)
        switch answer {
        case .data(let bytes, let toggle):
            tell("\(address).\(endpoint) IN -> DATA\(toggle ? 1 : 0) \(text(bytes[...]))")
        case .busy, .stalled, .silence: tell("\(address).\(endpoint) IN -> \(answer)")
        }
        return answer
    }

    private func tell(_ line: String) {
        guard line != last else { return }
        last = line
        report(line)
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        let shown = bytes.prefix(64).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        return "[\(bytes.count)] \(shown)"
    }
}
