import Traffic

/// Says what transfers mean, with the class decoders.
struct TransferDecoding: TransferDecoder {
    func line(for transfer: TransferSummary) -> String { "" }
}
