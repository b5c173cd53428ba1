/// The DSP extension of ARMv7E-M (A4.4.3 and on). False for an encoding that does not exist.
extension Machine {
    func executeDSP(_ h: UInt32, _ l: UInt32) -> Bool { false }
}
