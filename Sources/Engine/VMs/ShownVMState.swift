import ControlProtocol

/// The run state that operators see.
typealias ShownVMState = VMState
