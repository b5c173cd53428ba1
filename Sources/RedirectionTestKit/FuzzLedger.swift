import USBCore
import USBDevice
import USBRedirection

/// Exactly one completion per submitted transfer, and exactly one reply per completion of a guest's transfer.
final class FuzzLedger: TransferTap {
    private(set) var fault: String?
    /// The id that a guest's reply must carry; nil for a transfer that no guest asked for.
    var guestID: (TransferID) -> UInt64? = { $0 }
    /// Pending transfers with the length that was asked for.
    private var open: [TransferID: (length: Int, guestID: UInt64?)] = [:]
    /// Statuses of a guest's transfers that have completed and whose replies have not been seen yet, by its own ids.
    private var owed: [UInt64: [PacketStatus]] = [:]

    var openTransfers: Int { open.count }

    /// With the link up, nothing may be owed once all has been read.
    var owedReplies: Int { owed.count }

    /// Replies may be lost with the link, never invented; completions may not be missing.
    var faultAtEnd: String? {
        fault ?? (open.isEmpty ? nil : "\(open.count) transfers never completed")
    }

    func submitted(_ transfer: Transfer) {
        let entry = (transfer.length, guestID(transfer.id))
        if open.updateValue(entry, forKey: transfer.id) != nil {
            fault = "transfer \(transfer.id) submitted while pending"
        }
    }

    func completed(_ completion: TransferCompletion) {
        guard let (length, guestID) = open.removeValue(forKey: completion.id) else {
            fault = "transfer \(completion.id) completed twice"
            return
        }
        guard let guestID else { return }
        let babbles = completion.endpoint.direction == .in && completion.data.count > length
        owed[guestID, default: []].append(babbles ? .babble : PacketStatus(completion.status))
    }

    func replied(_ message: Message) {
        switch message.packet {
        case .controlPacket(let packet): settle(message.id, packet.status)
        case .bulkPacket(let packet): settle(message.id, packet.status)
        case .configurationStatus(let status, _): settle(message.id, status)
        case .alternateSettingStatus(let status, _, _): settle(message.id, status)
        case .interruptPacket(let packet) where packet.endpoint & 0x80 == 0: settle(message.id, packet.status)
        default: break
        }
    }

    /// A reply is owed, or it is the refusal of a request that the device never saw.
    private func settle(_ id: TransferID, _ status: PacketStatus) {
        if let first = owed[id]?.first, first == status {
            owed[id]?.removeFirst()
            if owed[id]?.isEmpty ?? true { owed[id] = nil }
        } else if status != .invalid, status != .ioError {
            fault = "reply \(id) with status \(status.rawValue), owed \(owed[id] ?? [])"
        }
    }
}
