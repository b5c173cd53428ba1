import USBCore
import USBDevice

/// Reads all descriptors of an addressed device: gives one request after the other, is told each answer (USB 2.0 section 9.1.2).
struct DeviceEnumerator {
    /// String descriptors read of one device at most.
    static let maximumStrings = 48

    enum Next: Equatable {
        case request(SetupPacket)
        case done(EnumeratedDevice)
        /// The device is not one that a host could use.
        case failed(String)
    }

    private enum Step: Equatable {
        case deviceHead
        case device
        case configurationHead(UInt8)
        case configuration(UInt8)
        case capabilitiesHead
        case capabilities
        case languages
        case string
    }

    /// bMaxPacketSize0 once known; 8 is right for the first eight bytes of any device.
    private(set) var packetSize = 8
    private var step = Step.deviceHead
    private var device: DeviceDescriptor?
    private var configurations: [ConfigurationDescriptor] = []
    private var capabilities: BinaryObjectStore?
    private var languages: [UInt16] = []
    private var strings: [UInt8: String] = [:]
    private var stringsToRead: [UInt8] = []

    var first: SetupPacket { Self.get(DescriptorType.device, length: 8) }

    /// What comes after the answer to the last request; nil is a stall.
    mutating func next(after answer: [UInt8]?) -> Next {
        switch step {
        case .deviceHead:
            guard let answer, answer.count == 8 else { return .failed("it gave no device descriptor") }
            guard [8, 16, 32, 64].contains(answer[7]) else { return .failed("bMaxPacketSize0 is \(answer[7])") }
            packetSize = Int(answer[7])
            step = .device
            return .request(Self.get(DescriptorType.device, length: 18))
        case .device: return takeDevice(answer)
        case .configurationHead(let index):
            guard let answer, let total = answer.little16(at: 2), total >= 9 else {
                return .failed("it gave no configuration descriptor \(index)")
            }
            step = .configuration(index)
            return .request(Self.get(DescriptorType.configuration, index: index, length: total))
        case .configuration(let index): return takeConfiguration(index, answer)
        case .capabilitiesHead:
            guard let answer, let total = answer.little16(at: 2), total >= 5, total <= 4096 else {
                return askForLanguages()
            }
            step = .capabilities
            return .request(Self.get(DescriptorType.binaryObjectStore, length: total))
        case .capabilities:
            capabilities = answer.flatMap { try? BinaryObjectStore(parsing: $0) }
            return askForLanguages()
        case .languages:
            guard let answer, answer.count >= 4, answer[1] == DescriptorType.string else { return finish() }
            let end = min(answer.count, Int(answer[0]))
            languages = stride(from: 2, to: end - 1, by: 2).compactMap { answer.little16(at: $0) }
            return askForString()
        case .string:
            let index = stringsToRead.removeFirst()
            if let answer, let text = try? StringDescriptor.text(parsing: answer) { strings[index] = text }
            return askForString()
        }
    }

    private mutating func takeDevice(_ answer: [UInt8]?) -> Next {
        guard let answer else { return .failed("it gave no device descriptor") }
        let parsed: DeviceDescriptor
        do { parsed = try DeviceDescriptor(parsing: answer) } catch { return .failed("\(error)") }
        device = parsed
        guard parsed.configurationCount > 0 else { return .failed("it has no configuration") }
        step = .configurationHead(0)
        return .request(Self.get(DescriptorType.configuration, length: 9))
    }

    private mutating func takeConfiguration(_ index: UInt8, _ answer: [UInt8]?) -> Next {
        guard let answer else { return .failed("it gave no configuration descriptor \(index)") }
        do {
            configurations.append(try ConfigurationDescriptor(parsing: Self.cut(answer)))
        } catch {
            return .failed("\(error)")
        }
        if let device, index + 1 < min(device.configurationCount, 8) {
            step = .configurationHead(index + 1)
            return .request(Self.get(DescriptorType.configuration, index: index + 1, length: 9))
        }
        // Devices before 2.01 have no such store and may hang when asked (USB 3.2 section 9.6.2).
        guard let device, device.usbRelease >= 0x0201 else { return askForLanguages() }
        step = .capabilitiesHead
        return .request(Self.get(DescriptorType.binaryObjectStore, length: 5))
    }

    /// Some firmware claims more than it gives; hosts take what there is (Linux: "config index descriptor too short").
    private static func cut(_ answer: [UInt8]) -> [UInt8] {
        guard let total = answer.little16(at: 2), Int(total) > answer.count, answer.count <= Int(UInt16.max) else {
            return answer
        }
        var cut = answer
        cut[2] = UInt8(answer.count & 0xFF)
        cut[3] = UInt8(answer.count >> 8)
        return cut
    }

    private mutating func askForLanguages() -> Next {
        var wanted: [UInt8] = []
        if let device { wanted += [device.manufacturerIndex, device.productIndex, device.serialNumberIndex] }
        for configuration in configurations {
            wanted.append(configuration.stringIndex)
            wanted += configuration.associations.map(\.stringIndex)
            wanted += configuration.interfaces.map(\.stringIndex)
        }
        var seen: Set<UInt8> = [0]
        stringsToRead = Array(wanted.filter { seen.insert($0).inserted }.prefix(Self.maximumStrings))
        guard !stringsToRead.isEmpty else { return finish() }
        step = .languages
        return .request(Self.get(DescriptorType.string, length: 255))
    }

    private mutating func askForString() -> Next {
        guard let language = languages.first, let index = stringsToRead.first else { return finish() }
        step = .string
        return .request(Self.get(DescriptorType.string, index: index, language: language, length: 255))
    }

    private func finish() -> Next {
        guard let device else { return .failed("it gave no device descriptor") }
        return .done(
            EnumeratedDevice(
                enumeration: Enumeration(speed: .full, device: device, configurations: configurations),
                strings: strings, languages: languages, capabilities: capabilities))
    }

    private static func get(_ type: UInt8, index: UInt8 = 0, language: UInt16 = 0, length: UInt16) -> SetupPacket {
        SetupPacket(
            requestType: RequestType(.in, .standard, .device), request: StandardRequest.getDescriptor.rawValue,
            value: UInt16(type) << 8 | UInt16(index), index: language, length: length)
    }
}
