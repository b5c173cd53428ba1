import Traffic
import USBClasses

/// Says what transfers mean, with the class decoders.
struct TransferDecoding: TransferDecoder {
    func line(for transfer: TransferSummary) -> String {
        // What was taken back or failed with nothing in it was no packet at all.
        if transfer.setup == nil, transfer.status != .success, transfer.actual == 0 { return "" }
        return TransferMeaning(
            type: transfer.type, direction: transfer.direction, setup: transfer.setup,
            interfaceClass: transfer.classCode.map { .init($0.code, $0.subclass, $0.protocol) },
            actual: transfer.actual, head: transfer.head
        ).line
    }
}
