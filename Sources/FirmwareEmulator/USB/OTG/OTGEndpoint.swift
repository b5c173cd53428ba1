/// One direction of an endpoint of ``OTGController``: DxEPCTL, DxEPINT, DxEPTSIZ (RM0090 section 34.16.4).
struct OTGEndpoint {
    enum Control {
        static let active: UInt32 = 1 << 15
        /// DPID of bulk, interrupt and control endpoints; EONUM of isochronous ones.
        static let parity: UInt32 = 1 << 16
        static let nakStatus: UInt32 = 1 << 17
        static let snoop: UInt32 = 1 << 20
        static let stall: UInt32 = 1 << 21
        static let clearNAK: UInt32 = 1 << 26
        static let setNAK: UInt32 = 1 << 27
        static let setEven: UInt32 = 1 << 28
        static let setOdd: UInt32 = 1 << 29
        static let disable: UInt32 = 1 << 30
        static let enable: UInt32 = 1 << 31
        /// MPSIZ, USBAEP, EPTYP, SNPM, STALL, TXFNUM: what a write replaces.
        static let stored: UInt32 = 0x7FF | active | 3 << 18 | snoop | stall | 0xF << 22
    }

    enum Interrupt {
        static let complete: UInt32 = 1 << 0
        static let disabled: UInt32 = 1 << 1
        static let setupDone: UInt32 = 1 << 3
        /// IN token without data in the FIFO; OUT token while disabled.
        static let unserved: UInt32 = 1 << 4
        /// INEPNE and TXFE follow from other state.
        static let nakEffective: UInt32 = 1 << 6
        static let fifoEmpty: UInt32 = 1 << 7
        static let clearable: UInt32 = complete | disabled | setupDone | unserved
    }

    let number: UInt8
    var control: UInt32 = 0
    var interrupt: UInt32 = 0
    /// XFRSIZ in bytes and PKTCNT, as far as they have not been used up.
    var size: UInt32 = 0
    var packets: UInt32 = 0
    /// STUPCNT of OUT 0, MCNT of IN endpoints.
    var count: UInt32 = 0

    init(_ number: UInt8) {
        self.number = number
        if number == 0 { control = Control.active }
    }

    var isEnabled: Bool { control & Control.enable != 0 }
    var isActive: Bool { control & Control.active != 0 }
    var isNAKing: Bool { control & Control.nakStatus != 0 }
    var isStalled: Bool { control & Control.stall != 0 }
    var isIsochronous: Bool { number != 0 && control >> 18 & 3 == 1 }
    /// DATA1 is next, or odd frames are served.
    var parity: Bool {
        get { control & Control.parity != 0 }
        set { control = newValue ? control | Control.parity : control & ~Control.parity }
    }
    var fifo: Int { Int(control >> 22 & 0xF) }

    /// Bytes; endpoint 0 has a code for them.
    var packetSize: Int { number == 0 ? 64 >> Int(control & 3) : Int(control & 0x7FF) }

    /// DxEPTSIZ.
    var transferSize: UInt32 {
        get { size | packets << 19 | count << 29 }
        set {
            size = newValue & (number == 0 ? 0x7F : 0x7_FFFF)
            packets = newValue >> 19 & (number == 0 ? 3 : 0x3FF)
            count = newValue >> 29 & 3
        }
    }

    /// A write to DxEPCTL.
    ///
    /// - Returns: the endpoint was enabled, and is disabled now.
    mutating func writeControl(_ value: UInt32) -> Bool {
        let kept = control & (Control.enable | Control.nakStatus | Control.parity)
        if number == 0 {
            // STALL is cleared by SETUP only; active and control for good.
            control =
                kept | value & (3 | Control.snoop | 0xF << 22) | (control | value) & Control.stall | Control.active
        } else {
            control = kept | value & Control.stored
            if value & Control.setEven != 0 { parity = false }
            if value & Control.setOdd != 0 { parity = true }
        }
        if value & Control.setNAK != 0 { control |= Control.nakStatus }
        if value & Control.clearNAK != 0 { control &= ~Control.nakStatus }
        if value & Control.disable != 0, isEnabled {
            control &= ~Control.enable
            interrupt |= Interrupt.disabled
            return true
        }
        if value & Control.enable != 0 { control |= Control.enable }
        return false
    }
}
