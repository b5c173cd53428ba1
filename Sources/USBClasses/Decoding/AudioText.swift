import USBCore

/// Audio class requests in words.
enum AudioText {
    /// nil for what is not a request of the class.
    static func request(_ setup: SetupPacket, data: [UInt8]) -> String? {
        guard let request = AudioClass.Request(rawValue: setup.request) else { return nil }
        guard setup.requestType.recipient == .endpoint,
            UInt8(setup.value >> 8) == AudioClass.samplingFrequencyControl
        else { return "\(request.name) control \(Hex.word(setup.value)) index \(Hex.word(setup.index))" }
        let value = AudioClass.frequency(Array(data.prefix(3))).map { " \($0) Hz" } ?? ""
        return "\(request.name) sampling frequency\(value)"
    }
}
