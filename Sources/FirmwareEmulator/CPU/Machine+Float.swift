/// The single-precision floating-point extension FPv4-SP (A6, A7.7.219 and on).
extension Machine {
    func executeCoprocessor(_ h: UInt32, _ l: UInt32) -> Bool {
        pendingFault = .noCoprocessor
        return false
    }
}
