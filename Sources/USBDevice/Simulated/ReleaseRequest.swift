import USBCore

/// The guest's request to be rid of a device or of one of its interfaces: vendor type, interface recipient, no data.
enum ReleaseRequest {
    /// bRequest; the Web Service interface has the same number for it.
    static let code: UInt8 = 0x03

    /// Whether all of the device is meant (wValue 0) or the interface (wValue 1); nil when it is no such request.
    static func wholeDevice(_ setup: SetupPacket) -> Bool? {
        guard setup.requestType == RequestType(.out, .vendor, .interface), setup.request == code, setup.value <= 1,
            setup.length == 0
        else { return nil }
        return setup.value == 0
    }
}
