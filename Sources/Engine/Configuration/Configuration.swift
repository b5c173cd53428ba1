import SimulatedFirmware
import USBCore

/// What the operator wrote in the configuration file (ARCHITECTURE: configuration).
public struct Configuration: Sendable, Equatable {
    /// Where it was read; nil for the built-in empty configuration.
    public var file: String?
    /// Control socket; nil: the default.
    public var socket: String?
    public var vms: [VMSourceConfiguration] = []
    public var usbip: USBIPConfiguration?
    /// Services of the host that devices may be given.
    public var services: [ServiceDeclaration] = []
    public var devices: [DeviceConfiguration] = []
    /// Things that are valid and will not work as written; each names file, line and key.
    public var warnings: [ConfigurationProblem] = []

    public init(file: String? = nil) {
        self.file = file
    }
}

/// Where live VMs come from: one `[[vms]]`.
public enum VMSourceConfiguration: Sendable, Equatable {
    case qmp(path: String, name: String?)
    case qmpDirectory(path: String)
    case qemuProcesses
    case libvirt(uri: String)
}

/// One `[[device]]`.
public struct DeviceConfiguration: Sendable, Equatable {
    public var name: String
    /// nil: by what the port takes.
    public var speed: Speed?
    public var idVendor: UInt16?
    public var idProduct: UInt16?
    public var product: String?
    public var serialNumber: String?
    public var behaviour: Behaviour
    public var export = DeviceExportConfiguration()
    /// Line of its `[[device]]`, for messages that come later.
    public var line: Int

    public enum Behaviour: Sendable, Equatable {
        case simulated([InterfaceConfiguration])
        /// `flash`: a file that keeps what the firmware writes to its flash; nil: forgotten at the end. `uart`: where the
        /// board's serial ports are found on the host.
        case emulated(
            firmware: String, board: String, flash: String? = nil, gdb: Int? = nil, uart: SerialTarget? = nil)
    }
}

/// One entry of `interfaces`.
public struct InterfaceConfiguration: Sendable, Equatable {
    public var kind: InterfaceKind
    public var name: String
    /// The other keys, as written; the kind's table says which exist.
    public var values: [String: Value]
    public var line: Int

    public enum Value: Sendable, Equatable {
        case string(String)
        case strings([String])
        case integer(Int)
    }

    public func string(_ key: String) -> String? {
        if case .string(let value) = values[key] { value } else { nil }
    }

    public func integer(_ key: String) -> Int? {
        if case .integer(let value) = values[key] { value } else { nil }
    }

    public func strings(_ key: String) -> [String] {
        if case .strings(let value) = values[key] { value } else { [] }
    }
}

/// One mistake or doubt: `FILE:LINE: KEY: found …; allowed: …`.
public struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int?
    /// Dotted path, such as `device[0].interfaces[1].kind`.
    public var key: String
    /// What is there.
    public var found: String
    /// What may be there.
    public var allowed: String

    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        let subject = key.isEmpty ? "" : " \(key):"
        return "\(place):\(subject) \(found)" + (allowed.isEmpty ? "" : "; allowed: \(allowed)")
    }
}

/// All mistakes of one file, in file order.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var problems: [ConfigurationProblem]
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
