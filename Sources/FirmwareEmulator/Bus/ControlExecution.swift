import USBCore

/// A control transfer between its SETUP packet and the end of its status stage (USB 2.0 section 8.5.3).
struct ControlExecution {
    enum Owner: Equatable {
        case guest(BusTransfer)
        /// Ours: SET_ADDRESS or a descriptor read.
        case host
    }

    enum Stage {
        case setup
        case dataIn
        case dataOut
        case statusIn
        case statusOut
    }

    enum Result: Equatable {
        case success([UInt8])
        case stall
        case babble
        /// No answer however often it was asked.
        case silence
    }

    let owner: Owner
    let setup: SetupPacket
    let data: [UInt8]
    var stage = Stage.setup
    var toggle = true
    var received: [UInt8] = []
    var sent = 0
    var silentTries = 0

    init(_ owner: Owner, _ setup: SetupPacket, data: [UInt8] = []) {
        self.owner = owner
        self.setup = setup
        self.data = data
    }

    /// The stage that follows SETUP.
    var afterSetup: Stage {
        if setup.direction == .in, setup.length > 0 { return .dataIn }
        return data.isEmpty ? .statusIn : .dataOut
    }
}
