/// What to plug into a VM, and where.
public struct PlugRequest: Sendable, Equatable {
    /// The device's name; QEMU's ids are made from it.
    public var device: String
    /// Speeds the device can serve.
    public var speeds: [PortSpeed]
    /// A UNIX socket that listens already and accepts QEMU's usbredir connection.
    public var socketPath: String
    /// A bus such as `xhci.0`, instead of the best one.
    public var bus: String?
    /// A root port of that bus, instead of the first free one.
    public var port: Int?
    /// Firmware boot order, for a disk.
    public var bootIndex: Int?

    public init(
        device: String, speeds: [PortSpeed], socketPath: String, bus: String? = nil, port: Int? = nil,
        bootIndex: Int? = nil
    ) {
        self.device = device
        self.speeds = speeds
        self.socketPath = socketPath
        self.bus = bus
        self.port = port
        self.bootIndex = bootIndex
    }
}

/// A device that sits in a VM.
public struct PluggedPort: Sendable, Equatable {
    public let vm: String
    public let device: String
    /// QEMU's device id; its chardev has the same.
    public let qdevID: String
    public let bus: String
    public let port: Int
    /// The speed the device must serve on this port.
    public let speed: PortSpeed
    /// Something the operator should know, such as that the guest is paused.
    public let note: String?
}

/// A device or chardev in a VM that carries our prefix.
public struct Leftover: Sendable, Equatable {
    public let qdevID: String
    public let hasDevice: Bool
    public let hasChardev: Bool
}

/// The ids we give to QEMU's devices and chardevs.
public enum QdevID {
    /// QEMU wants a letter first, so `2virt-` alone will not do; libvirt calls users' own devices `ua-`, too.
    public static let prefix = "ua-2virt-"

    /// `ua-2virt-desk`; characters QEMU refuses become `_`, and a hash then keeps two names apart.
    public static func make(device: String) -> String {
        let safe = device.utf8.prefix(64).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                byte
            default: UInt8(ascii: "_")
            }
        }
        guard !safe.elementsEqual(device.utf8) else { return prefix + device }
        // FNV-1a: the same in every run, unlike Hasher.
        let hash = device.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return prefix + String(decoding: safe, as: UTF8.self) + "_" + String(hash, radix: 16)
    }
}
