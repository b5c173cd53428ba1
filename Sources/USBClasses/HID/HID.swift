/// Numbers of the human interface device class (HID 1.11) and what a keyboard needs of them.
public enum HID {
    public static let interfaceClass: UInt8 = 0x03
    /// bInterfaceSubClass of interfaces that firmware (BIOS, boot loaders) can use.
    public static let boot: UInt8 = 0x01
    /// bInterfaceProtocol of a boot keyboard.
    public static let keyboard: UInt8 = 0x01

    /// Descriptor types (section 7.1).
    public static let descriptorType: UInt8 = 0x21
    public static let reportDescriptorType: UInt8 = 0x22

    /// bRequest of class requests (section 7.2).
    public enum Request: UInt8, Sendable {
        case getReport = 0x01
        case getIdle = 0x02
        case getProtocol = 0x03
        case setReport = 0x09
        case setIdle = 0x0A
        case setProtocol = 0x0B
    }

    /// High byte of wValue of GET_REPORT and SET_REPORT.
    public enum ReportType: UInt8, Sendable {
        case input = 1
        case output = 2
        case feature = 3
    }

    /// The HID descriptor of an interface (section 6.2.1).
    public static func descriptor(report: [UInt8]) -> [UInt8] {
        [
            9, descriptorType, 0x11, 0x01, 0, 1, reportDescriptorType, UInt8(truncatingIfNeeded: report.count),
            UInt8(truncatingIfNeeded: report.count >> 8),
        ]
    }

    /// The boot keyboard's reports (appendix B.1): eight modifiers, a reserved byte, six keys; five LEDs.
    public static let keyboardReport: [UInt8] = [
        0x05, 0x01,  // Usage Page (Generic Desktop)
        0x09, 0x06,  // Usage (Keyboard)
        0xA1, 0x01,  // Collection (Application)
        0x05, 0x07,  //   Usage Page (Keyboard)
        0x19, 0xE0, 0x29, 0xE7,  //   Usage Minimum, Maximum (modifiers)
        0x15, 0x00, 0x25, 0x01,  //   Logical Minimum 0, Maximum 1
        0x75, 0x01, 0x95, 0x08,  //   8 of 1 bit
        0x81, 0x02,  //   Input (Data, Variable, Absolute)
        0x75, 0x08, 0x95, 0x01,  //   1 of 8 bits
        0x81, 0x01,  //   Input (Constant)
        0x05, 0x08,  //   Usage Page (LEDs)
        0x19, 0x01, 0x29, 0x05,  //   Usage Minimum, Maximum
        0x75, 0x01, 0x95, 0x05,  //   5 of 1 bit
        0x91, 0x02,  //   Output (Data, Variable, Absolute)
        0x75, 0x03, 0x95, 0x01,  //   1 of 3 bits
        0x91, 0x01,  //   Output (Constant)
        0x05, 0x07,  //   Usage Page (Keyboard)
        0x19, 0x00, 0x29, 0xDD,  //   Usage Minimum, Maximum
        0x15, 0x00, 0x26, 0xDD, 0x00,  //   Logical Minimum 0, Maximum 221
        0x75, 0x08, 0x95, 0x06,  //   6 of 8 bits
        0x81, 0x00,  //   Input (Data, Array)
        0xC0,
    ]

    /// One consumer control usage at a time, 16 bits.
    public static let consumerReport: [UInt8] = [
        0x05, 0x0C,  // Usage Page (Consumer)
        0x09, 0x01,  // Usage (Consumer Control)
        0xA1, 0x01,  // Collection (Application)
        0x19, 0x00, 0x2A, 0x3C, 0x02,  //   Usage Minimum 0, Maximum 0x23C
        0x15, 0x00, 0x26, 0x3C, 0x02,  //   Logical Minimum 0, Maximum 0x23C
        0x75, 0x10, 0x95, 0x01,  //   1 of 16 bits
        0x81, 0x00,  //   Input (Data, Array)
        0xC0,
    ]
}

/// The LEDs of a keyboard (HID usage page 8).
public struct KeyboardLEDs: OptionSet, Sendable, Equatable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0x1F }

    public static let numLock = KeyboardLEDs(rawValue: 1)
    public static let capsLock = KeyboardLEDs(rawValue: 2)
    public static let scrollLock = KeyboardLEDs(rawValue: 4)
    public static let compose = KeyboardLEDs(rawValue: 8)
    public static let kana = KeyboardLEDs(rawValue: 16)

    /// `Num Lock, Caps Lock`, or `off`.
    public var text: String {
        let names = ["Num Lock", "Caps Lock", "Scroll Lock", "Compose", "Kana"]
        let lit = names.indices.filter { rawValue >> UInt8($0) & 1 != 0 }.map { names[$0] }
        return lit.isEmpty ? "off" : lit.joined(separator: ", ")
    }
}
