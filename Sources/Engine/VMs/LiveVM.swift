import Hypervisor

/// A VM as the hypervisor layer knows it; the control protocol has a `VMState` too, which is its run state only.
typealias LiveVM = VMState
