import RedirectionTestKit
import USBCore
import USBDevice

/// A bulk-only disk whose boot sector reads 8 sectors, of which the disk sends `shortLength` bytes in one completion,
/// and then reads sector 77, by which a test sees that the guest took the first transfer as ended.
///
/// A reply that fills its transfer does not end anything; a zero-length one follows it.
final class ShortReadDisk: Firmware {
    weak var port: DevicePort?
    let speeds: Set<Speed> = [.full, .high, .super]
    let shortLength: Int
    /// The short data filled the transfer that it went into.
    private(set) var sentZeroPacket = false
    private var configuration: UInt8 = 0
    private var speed = Speed.high
    private var parkedIn: [Transfer] = []
    private var queue: [[UInt8]] = []

    private var shortData: [UInt8] { Array(repeating: 0x55, count: shortLength) }

    static let shortSector: UInt32 = 16
    static let nextSector: UInt32 = 77

    init(shortLength: Int) { self.shortLength = shortLength }

    func enumeration(at speed: Speed) -> Enumeration {
        Enumeration(
            speed: speed, device: device, configurations: [configurationDescriptor], currentConfiguration: configuration
        )
    }

    func connect(at speed: Speed) {
        self.speed = speed
        busReset()
    }

    func disconnect() { busReset() }

    func busReset() {
        configuration = 0
        parkedIn = []
        queue = []
    }

    func withdraw(_ id: TransferID, _ endpoint: EndpointAddress) { parkedIn.removeAll { $0.id == id } }

    func submit(_ transfer: Transfer) {
        if let setup = transfer.setup {
            let answer = answer(setup)
            finish(transfer, answer == nil ? .stall : .success, Array((answer ?? []).prefix(transfer.length)))
        } else if transfer.endpoint.direction == .in {
            parkedIn.append(transfer)
            serve()
        } else {
            // A new command ends whatever was left of the one before.
            queue = []
            finish(transfer, .success)
            command(transfer.data)
        }
    }

    /// READ(10) of this sector, when `bytes` are a command block wrapper that asks for it.
    static func sectorRead(_ bytes: [UInt8]) -> UInt32? {
        guard bytes.count == 31, bytes[15] == 0x28 else { return nil }
        return bytes[17..<21].reduce(0) { $0 << 8 | UInt32($1) }
    }

    // MARK: Bulk-only transport

    private func command(_ bytes: [UInt8]) {
        guard bytes.count == 31 else { return }
        switch bytes[15] {
        case 0x12: queue.append([0, 0x80, 4, 2, 31, 0, 0, 0] + Array("2Virt   short reads     1   ".utf8))
        case 0x25: queue.append([0, 0, 0x10, 0, 0, 0, 2, 0])
        case 0x28:
            switch Self.sectorRead(bytes) {
            case 0: queue.append(Self.bootSector)
            case Self.shortSector: queue.append(shortData)
            default: queue.append(Array(repeating: 0, count: 512))
            }
        default: break
        }
        queue.append([0x55, 0x53, 0x42, 0x53] + bytes[4..<8] + [0, 0, 0, 0, 0])
        serve()
    }

    private func serve() {
        while !queue.isEmpty, !parkedIn.isEmpty {
            let transfer = parkedIn.removeFirst()
            let data = queue.removeFirst()
            if data.count > transfer.length { queue.insert(Array(data.dropFirst(transfer.length)), at: 0) }
            if data == shortData, transfer.length == data.count {
                sentZeroPacket = true
                queue.insert([], at: 0)
            }
            finish(transfer, .success, Array(data.prefix(transfer.length)))
        }
    }

    private func finish(_ transfer: Transfer, _ status: TransferStatus, _ data: [UInt8] = []) {
        port?.complete(
            TransferCompletion(
                id: transfer.id, endpoint: transfer.endpoint, status: status, data: data,
                actualLength: transfer.data.count))
    }

    /// 8086: EDD reads of 8 sectors at 16 and of 1 sector at 77 to 0000:8000, then halt.
    private static let bootSector: [UInt8] = {
        var sector = [UInt8](repeating: 0, count: 512)
        let code: [UInt8] = [
            0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0xBE, 0x20, 0x7C, 0xB4, 0x42, 0xCD, 0x13, 0xBE, 0x30, 0x7C, 0xB4, 0x42,
            0xB2, 0x80, 0xCD, 0x13, 0xF4, 0xEB, 0xFD,
        ]
        let packet = { (count: UInt8, sector: UInt8) -> [UInt8] in
            [0x10, 0, count, 0, 0, 0x80, 0, 0, sector, 0, 0, 0, 0, 0, 0, 0]
        }
        sector.replaceSubrange(0..<code.count, with: code)
        sector.replaceSubrange(0x20..<0x30, with: packet(8, UInt8(shortSector)))
        sector.replaceSubrange(0x30..<0x40, with: packet(1, UInt8(nextSector)))
        sector[510] = 0x55
        sector[511] = 0xAA
        return sector
    }()

    // MARK: Chapter 9

    private var device: DeviceDescriptor {
        DeviceDescriptor(
            usbRelease: speed == .super ? 0x0300 : 0x0200, maxPacketSize0: speed == .super ? 9 : 64, idVendor: 0x1209,
            idProduct: 2, deviceRelease: 1)
    }

    private var configurationDescriptor: ConfigurationDescriptor {
        let companion = speed == .super ? SuperSpeedEndpointCompanion() : nil
        return ConfigurationDescriptor(interfaces: [
            InterfaceDescriptor(
                interfaceNumber: 0, interfaceClass: 8, interfaceSubClass: 6, interfaceProtocol: 0x50,
                endpoints: [EndpointAddress.bulkIn, .bulkOut].map {
                    EndpointDescriptor(
                        address: $0, attributes: 2, maxPacketSizeWord: UInt16(speed.bulkPacketSize ?? 64), interval: 0,
                        companion: companion)
                })
        ])
    }

    private func answer(_ setup: SetupPacket) -> [UInt8]? {
        // GET_MAX_LUN and the bulk-only reset.
        guard let standard = setup.standard else { return [0] }
        switch (standard, UInt8(setup.value >> 8)) {
        case (.getDescriptor, DescriptorType.device): return device.bytes
        case (.getDescriptor, DescriptorType.configuration): return configurationDescriptor.bytes
        case (.getDescriptor, _): return nil
        case (.setConfiguration, _):
            configuration = UInt8(truncatingIfNeeded: setup.value)
            return []
        default: return []
        }
    }
}
