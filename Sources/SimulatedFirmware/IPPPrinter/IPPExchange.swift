import NIOCore
import USBClasses

/// What a request and its answer are in terms of IPP, from the first bytes of both.
struct IPPExchange {
    private var request: [UInt8] = []
    private var answer: [UInt8] = []
    /// Bytes of the request's body.
    private(set) var length = 0

    mutating func requested(_ bytes: ByteBuffer) {
        length += bytes.readableBytes
        request += bytes.readableBytesView.prefix(4 - request.count)
    }

    mutating func answered(_ bytes: ByteBuffer) {
        answer += bytes.readableBytesView.prefix(4 - answer.count)
    }

    /// What an operator should hear of it; nil for anything that prints nothing.
    ///
    /// - Parameter status: of HTTP.
    func text(status: Int, printer: String) -> String? {
        guard let operation = IPPMessage.code(request).flatMap(IPPMessage.Operation.init(rawValue:)),
            operation == .printJob || operation == .sendDocument
        else { return nil }
        guard status == 200, let code = IPPMessage.code(answer) else {
            return "\(operation.name) failed: HTTP status \(status)"
        }
        guard IPPMessage.isSuccess(code) else {
            let digits = String(code, radix: 16, uppercase: true)
            return "\(operation.name) refused by the printer: IPP status 0x"
                + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "printed to \(printer): \(length) bytes"
    }
}
