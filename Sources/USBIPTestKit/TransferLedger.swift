import USBCore
import USBDevice

/// Exactly one completion per submitted transfer.
final class TransferLedger: TransferTap {
    private(set) var fault: String?
    private var open: Set<TransferID> = []

    var openTransfers: Int { open.count }

    func submitted(_ transfer: Transfer) {
        if !open.insert(transfer.id).inserted { fault = "transfer \(transfer.id) submitted while pending" }
    }

    func completed(_ completion: TransferCompletion) {
        if open.remove(completion.id) == nil { fault = "transfer \(completion.id) completed twice" }
    }
}
