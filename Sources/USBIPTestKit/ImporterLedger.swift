import USBCore
import USBIPCodec

/// What an importer may rely on: each URB has one answer, in an order in which Linux's host controller keeps going.
public struct ImporterLedger {
    /// What was broken first; nil: nothing.
    public private(set) var fault: String?
    private var submitted: [UInt32: AwaitedURB] = [:]
    private var answered: Set<UInt32> = []
    /// Targets of unlinks without an answer; nil for one that was not known when the unlink was sent.
    private var unlinks: [UInt32: UInt32?] = [:]

    public init() {}

    /// URBs and unlinks without an answer.
    public var openURBs: Int { submitted.count - answered.count }
    public var openUnlinks: Int { unlinks.count }

    public mutating func sent(_ request: URBRequest, isIsochronous: Bool) {
        switch request {
        case .submit(let command, _, let packets):
            submitted[command.sequenceNumber] = AwaitedURB(
                direction: command.direction, length: Int(command.length),
                packetCount: isIsochronous ? packets.count : nil)
        case .unlink(let command):
            let target = submitted[command.target] == nil ? nil : command.target
            unlinks.updateValue(target, forKey: command.sequenceNumber)
        }
    }

    /// For the reply decoder; answered URBs stay known, so that a second answer is told from a stray one.
    public func awaited(_ number: UInt32) -> AwaitedURB? { submitted[number] }

    public mutating func received(_ reply: URBReply) {
        switch reply {
        case .submit(let reply, let data, let packets):
            if !answered.insert(reply.sequenceNumber).inserted {
                fault = fault ?? "a second answer to URB \(reply.sequenceNumber)"
            }
            if reply.status.rawValue > 0 { fault = fault ?? "a positive status \(reply.status.rawValue)" }
            let sum = packets.reduce(0) { $0 + Int($1.actualLength) }
            if !packets.isEmpty, sum != Int(reply.actualLength) {
                fault = fault ?? "isochronous packets of \(sum) bytes in a URB of \(reply.actualLength)"
            }
            if let urb = submitted[reply.sequenceNumber], urb.direction == .in,
                data.readableBytes != Int(reply.actualLength)
            {
                fault = fault ?? "\(data.readableBytes) bytes where \(reply.actualLength) are claimed"
            }
        case .unlink(let reply):
            guard let target = unlinks.removeValue(forKey: reply.sequenceNumber) else {
                fault = fault ?? "an answer to unlink \(reply.sequenceNumber), which is not pending"
                return
            }
            let open = target.flatMap { answered.contains($0) ? nil : $0 }
            if reply.status == .unlinked {
                guard let open else {
                    fault = fault ?? "unlink \(reply.sequenceNumber) takes back what is not pending"
                    return
                }
                answered.insert(open)
            } else if reply.status != .success {
                fault = fault ?? "unlink ends with \(reply.status.rawValue)"
            } else if let open {
                // Linux gives such a URB back to its driver as a success of no bytes.
                fault = fault ?? "unlink of URB \(open) says it is answered, and it is not"
            }
        }
    }
}
