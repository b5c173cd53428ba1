import USBCore

@testable import FirmwareEmulator

/// Firmware in Swift that drives an FSDEV by its registers as a real driver does: descriptors, one configuration, a bulk
/// loop-back pair (OUT 1, IN 0x81) and an interrupt IN (0x82) that counts.
final class ModelFirmware {
    let usb: FSDEV
    var address: UInt8 = 0
    var configuration: UInt8 = 0
    private var pendingAddress: UInt8?
    private var answer: ArraySlice<UInt8> = []
    private var endsShort = false
    private(set) var requests: [SetupPacket] = []
    private(set) var controlData: [UInt8] = []
    private var expected = 0
    var product = "model"
    var ignoresEverything = false
    var stallsEverything = false
    /// Bytes to be sent on 0x81, a packet at a time.
    var echo: [[UInt8]] = []
    var isEchoArmed = false
    var packetSize0 = 16

    init(_ usb: FSDEV) { self.usb = usb }

    func start() {
        usb.write(0x40, 0x0003)
        usb.write(0x40, 0x0001)
        usb.write(0x40, 0)
        usb.write(0x44, 0)
        usb.write(0x50, 0)
        usb.write(0x40, 0xBC00)
        if usb.variant.hasPullUp { usb.write(0x58, 0x8000) }
    }

    func detach() {
        if usb.variant.hasPullUp { usb.write(0x58, 0) }
        usb.write(0x40, 0x0003)
    }

    // MARK: Packet memory by USB address

    private func half(_ address: Int) -> Int {
        Int(usb.readMemory(UInt32(usb.variant.access == .spread ? address * 2 : address), size: 2))
    }

    private func setHalf(_ address: Int, _ value: Int) {
        usb.writeMemory(UInt32(usb.variant.access == .spread ? address * 2 : address), UInt32(value), size: 2)
    }

    private func read(_ address: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: half(address + $0 & ~1) >> ((address + $0) & 1 * 8)) }
    }

    private func write(_ address: Int, _ bytes: some Collection<UInt8>) {
        let all = Array(bytes) + [0]
        for index in stride(from: 0, to: all.count - 1, by: 2) {
            setHalf(address + index, Int(all[index]) | Int(all[index + 1]) << 8)
        }
    }

    /// Sets STAT fields by toggling, keeping CTR bits.
    private func set(_ index: UInt32, receive: UInt32? = nil, transmit: UInt32? = nil) {
        let now = usb.read(index * 4)
        var value = now & 0x070F | 0x8080
        if let receive { value |= (now ^ receive << 12) & 0x3000 }
        if let transmit { value |= (now ^ transmit << 4) & 0x0030 }
        usb.write(index * 4, value)
    }

    private func clear(_ index: UInt32, received: Bool) {
        usb.write(index * 4, usb.read(index * 4) & 0x070F | (received ? 0x0080 : 0x8000))
    }

    // MARK: Interrupt handler

    /// Runs the interrupt handler until the line is low.
    func serve() {
        guard !ignoresEverything else { return }
        var rounds = 0
        while usb.lines.low, rounds < 100 {
            rounds += 1
            let status = usb.read(0x44)
            if status & 0x0400 != 0 {
                usb.write(0x44, ~0x0400 & 0xFFFF)
                reset()
            } else if status & 0x8000 != 0 {
                transfer(UInt32(status & 0xF))
            } else {
                usb.write(0x44, 0)
            }
        }
    }

    private func reset() {
        configuration = 0
        pendingAddress = nil
        setHalf(0, 64)
        setHalf(4, 128)
        setHalf(6, 0x8400)
        usb.write(0, 0x0200)
        set(0, receive: 3, transmit: 2)
        usb.write(0x4C, 0x80)
    }

    private func transfer(_ index: UInt32) {
        let value = usb.read(index * 4)
        if index == 0 {
            if value & 0x8000 != 0 {
                let isSetup = value & 0x0800 != 0
                let data = read(128, half(6) & 0x3FF)
                clear(0, received: true)
                if isSetup, let setup = SetupPacket(bytes: data) { request(setup) } else { controlOut(data) }
            } else {
                clear(0, received: false)
                if let address = pendingAddress {
                    usb.write(0x4C, 0x80 | UInt32(address))
                    pendingAddress = nil
                }
                sendAnswer()
            }
        } else if value & 0x8000 != 0 {
            let data = read(192, half(8 + 6) & 0x3FF)
            clear(index, received: true)
            echo.append(data)
            pump()
            if echo.count < 4 { set(1, receive: 3) }
        } else {
            clear(index, received: false)
            if index == 2 {
                isEchoArmed = false
                pump()
                if echo.count < 4 { set(1, receive: 3) }
            }
        }
    }

    /// Arms the loop-back's IN endpoint with the next packet.
    func pump() {
        guard !isEchoArmed, !echo.isEmpty else { return }
        let packet = echo.removeFirst()
        write(256, packet)
        setHalf(16 + 2, packet.count)
        isEchoArmed = true
        set(2, transmit: 3)
    }

    private func request(_ setup: SetupPacket) {
        requests.append(setup)
        guard !stallsEverything else { return set(0, receive: 3, transmit: 1) }
        answer = []
        if setup.direction == .out {
            expected = Int(setup.length)
            controlData = []
            switch setup.standard {
            case .setAddress: pendingAddress = UInt8(setup.value)
            case .setConfiguration: configure(UInt8(setup.value))
            case .clearFeature: break
            default: if setup.requestType.kind != .vendor { return set(0, receive: 3, transmit: 1) }
            }
            if expected == 0 {
                setHalf(2, 0)
                set(0, receive: 3, transmit: 3)
            } else {
                set(0, receive: 3)
            }
            return
        }
        guard let bytes = descriptor(setup) else { return set(0, receive: 3, transmit: 1) }
        answer = bytes.prefix(Int(setup.length))
        endsShort = answer.count < Int(setup.length) && answer.count % packetSize0 == 0
        set(0, receive: 3)
        sendAnswer(first: true)
    }

    private func sendAnswer(first: Bool = false) {
        guard first || !answer.isEmpty || endsShort else { return }
        if answer.isEmpty { endsShort = false }
        let packet = answer.prefix(packetSize0)
        answer = answer.dropFirst(packetSize0)
        write(64, packet)
        setHalf(2, packet.count)
        set(0, transmit: 3)
    }

    private func controlOut(_ data: [UInt8]) {
        controlData += data
        if controlData.count < expected { return set(0, receive: 3) }
        if expected > 0 {
            expected = 0
            setHalf(2, 0)
            set(0, receive: 3, transmit: 3)
        } else {
            set(0, receive: 3)
        }
    }

    private func configure(_ value: UInt8) {
        configuration = value
        setHalf(8 + 4, 192)
        setHalf(8 + 6, 0x8400)
        setHalf(16, 256)
        setHalf(24, 320)
        setHalf(26, 1)
        usb.write(4, 0x0001 | (usb.read(4) & 0x7070))
        usb.write(8, 0x0001 | (usb.read(8) & 0x7070))
        usb.write(12, 0x0602 | (usb.read(12) & 0x7070))
        echo = []
        isEchoArmed = false
        set(1, receive: 3)
        set(2, transmit: 2)
        set(3, transmit: 2)
    }

    func sendCount(_ value: UInt8) {
        write(320, [value])
        set(3, transmit: 3)
    }

    private func descriptor(_ setup: SetupPacket) -> [UInt8]? {
        if setup.requestType.kind == .vendor { return [UInt8](repeating: 0x5A, count: 40) }
        guard setup.standard == .getDescriptor else { return nil }
        let device = DeviceDescriptor(
            usbRelease: 0x0201, maxPacketSize0: UInt8(packetSize0), idVendor: 0x1209, idProduct: 0x0001,
            deviceRelease: 0x0100, productIndex: 2)
        switch (UInt8(setup.value >> 8), UInt8(truncatingIfNeeded: setup.value)) {
        case (DescriptorType.device, _): return device.bytes
        case (DescriptorType.configuration, 0): return Self.configuration.bytes
        case (DescriptorType.string, 0): return StringDescriptor.languages([0x0409])
        case (DescriptorType.string, 2): return StringDescriptor.bytes(product)
        case (DescriptorType.binaryObjectStore, _):
            return BinaryObjectStore(capabilities: [BinaryObjectStore.usb20Extension]).bytes
        default: return nil
        }
    }

    static let configuration = ConfigurationDescriptor(interfaces: [
        InterfaceDescriptor(
            interfaceNumber: 0, interfaceClass: 0xFF, interfaceSubClass: 0, interfaceProtocol: 0,
            endpoints: [
                EndpointDescriptor(address: .init(1, .out), attributes: 2, maxPacketSizeWord: 64, interval: 0),
                EndpointDescriptor(address: .init(1, .in), attributes: 2, maxPacketSizeWord: 64, interval: 0),
                EndpointDescriptor(address: .init(2, .in), attributes: 3, maxPacketSizeWord: 8, interval: 10),
            ])
    ])
}
