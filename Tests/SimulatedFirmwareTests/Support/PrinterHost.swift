import NIOCore
import USBCore

@testable import SimulatedFirmware

/// A guest's HTTP/1.1 client on one interface of a printer: sends what it is told, in transfers, and gathers what comes.
///
/// Confined to the bench's loop.
final class PrinterHost {
    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let input: UInt8
    let output: UInt8
    private let guest: Guest
    private var received: [UInt8] = []
    /// Answers, whole, in the order that they came.
    private(set) var answers: [Answer] = []
    private(set) var isInputStalled = false
    private(set) var isOutputStalled = false
    /// OUT bytes that the device has taken.
    private(set) var taken = 0
    private var outgoing: [[UInt8]] = []
    private var isSending = false
    var isBusy: Bool { isSending || !outgoing.isEmpty }
    /// To these requests the answers have no bodies.
    var answersAreBodiless = false

    /// - Parameter interface: number.
    init(_ guest: Guest, interface: Int = 0) {
        self.guest = guest
        let endpoints = guest.endpoints.filter { $0.type == .bulk }
        input = endpoints.filter { $0.address.direction == .in }[interface].address.number
        output = endpoints.filter { $0.address.direction == .out }[interface].address.number
        park()
    }

    func send(_ text: String, body: [UInt8] = []) {
        let bytes = Array(text.replacing("\n", with: "\r\n").utf8) + body
        for start in stride(from: 0, to: bytes.count, by: 16384) {
            outgoing.append(Array(bytes[start..<min(start + 16384, bytes.count)]))
        }
        push()
    }

    /// CLEAR_FEATURE(ENDPOINT_HALT) on both endpoints.
    func clearHalts() {
        guest.control(0x02, 1, index: UInt16(output))
        guest.control(0x02, 1, index: UInt16(input) | 0x80)
        isOutputStalled = false
        if isInputStalled {
            isInputStalled = false
            park()
        }
    }

    /// SET_INTERFACE to the only setting, and all is forgotten.
    func chooseSetting(interface: UInt16) {
        outgoing = []
        received = []
        guest.control(0x01, 11, index: interface)
        park()
    }

    private func push() {
        guard !isSending, let bytes = outgoing.first else { return }
        outgoing.removeFirst()
        isSending = true
        guest.submit({ .out($0, output, data: bytes) }) { [self] completion in
            isSending = false
            switch completion.status {
            case .success:
                taken += bytes.count
                push()
            case .stall:
                isOutputStalled = true
                outgoing = []
            default: break
            }
        }
    }

    private func park() {
        guest.submit({ .in($0, input, length: 16384) }) { [self] completion in
            switch completion.status {
            case .success:
                received += completion.data
                while let answer = takeAnswer() { answers.append(answer) }
                park()
            case .stall: isInputStalled = true
            default: break
            }
        }
    }

    /// The answer that `received` begins with, once it is whole.
    private func takeAnswer() -> Answer? {
        let end = Array("\r\n\r\n".utf8)
        guard let head = received.firstRange(of: end) else { return nil }
        let lines = String(decoding: received[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let status = Int(lines.first?.split(separator: " ").dropFirst().first ?? "") ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingPrefix(" ").description : ""
        }
        var rest = received[head.upperBound...]
        var body: [UInt8] = []
        if answersAreBodiless || status == 100 {
        } else if headers["transfer-encoding"] == "chunked" {
            while true {
                guard let line = rest.firstRange(of: Array("\r\n".utf8)) else { return nil }
                let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16) ?? 0
                rest = rest[line.upperBound...]
                guard rest.count >= size + 2 else { return nil }
                body += rest.prefix(size)
                rest = rest.dropFirst(size + 2)
                if size == 0 { break }
            }
        } else {
            let length = Int(headers["content-length"] ?? "") ?? 0
            guard rest.count >= length else { return nil }
            body = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        received = Array(rest)
        return Answer(status: status, headers: headers, body: body)
    }
}
