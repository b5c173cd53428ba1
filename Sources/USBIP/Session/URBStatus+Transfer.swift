import USBCore
import USBIPCodec

extension URBStatus {
    /// What an importer is told of a transfer that it has not taken back.
    init(_ status: TransferStatus) {
        switch status {
        case .success: self = .success
        case .stall: self = .stall
        // The device let go of it: its endpoint is gone.
        case .cancelled, .noDevice: self = .shutdown
        case .babble: self = .babble
        case .timeout: self = .timeout
        case .error: self = .protocolError
        case .shortPacket: self = .short
        }
    }
}
