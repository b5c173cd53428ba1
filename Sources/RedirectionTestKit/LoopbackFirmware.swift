import USBCore
import USBDevice

/// A small device for tests and benchmarks: chapter 9 for one configuration, and endpoints with known behaviour.
///
/// Interface 0 (vendor): bulk OUT 01 and bulk IN 81. What goes out comes back, transfer by transfer; with `sourceFill`,
/// bulk IN is always full and bulk OUT is swallowed. Interface 1, alternate 0 and 1 (HID boot keyboard): interrupt IN 82
/// sends queued reports, interrupt OUT 02 swallows.
public final class LoopbackFirmware: Firmware {
    public weak var port: DevicePort?
    public let speeds: Set<Speed>
    /// Answer bulk IN at once, full, with this byte.
    public var sourceFill: UInt8?
    /// Leave bulk OUT unanswered, as a device that sends NAK.
    public var holdsOut = false
    public private(set) var isConnected = false
    public private(set) var resets = 0
    public private(set) var configuration: UInt8 = 0
    public private(set) var alternates: [UInt8: UInt8] = [:]
    /// Every control transfer seen.
    public private(set) var requests: [SetupPacket] = []
    public private(set) var interruptOut: [[UInt8]] = []
    private var halted: Set<EndpointAddress> = []
    private var parked: [EndpointAddress: [Transfer]] = [:]
    private var echo: [[UInt8]] = []
    private var reports: [[UInt8]] = []
    private var speed = Speed.high

    public init(speeds: Set<Speed> = Set(Speed.allCases)) {
        self.speeds = speeds
    }

    // MARK: What a test does to it

    /// Queues an interrupt IN report.
    public func send(report: [UInt8]) {
        reports.append(report)
        serve(.keyboardIn)
    }

    /// Answers the oldest parked transfer of `endpoint` as told.
    public func complete(_ endpoint: EndpointAddress, _ status: TransferStatus, data: [UInt8] = [], taken: Int = 0) {
        guard var waiting = parked[endpoint], !waiting.isEmpty else { return }
        let transfer = waiting.removeFirst()
        parked[endpoint] = waiting
        finish(transfer, status, data: data, taken: taken)
    }

    public func halt(_ endpoint: EndpointAddress) {
        halted.insert(endpoint)
        for transfer in parked.removeValue(forKey: endpoint) ?? [] { finish(transfer, .stall) }
    }

    public func parkedCount(_ endpoint: EndpointAddress) -> Int { parked[endpoint]?.count ?? 0 }

    // MARK: Firmware

    public func enumeration(at speed: Speed) -> Enumeration {
        Enumeration(
            speed: speed, device: deviceDescriptor(speed), configurations: [configurationDescriptor(speed)],
            currentConfiguration: configuration, alternateSettings: alternates)
    }

    public func connect(at speed: Speed) {
        self.speed = speed
        isConnected = true
        forget()
    }

    public func disconnect() {
        isConnected = false
        forget()
    }

    public func busReset() {
        resets += 1
        forget()
    }

    public func submit(_ transfer: Transfer) {
        if let setup = transfer.setup {
            requests.append(setup)
            control(transfer, setup)
        } else if configuration == 0 || halted.contains(transfer.endpoint)
            || !Self.addresses.contains(transfer.endpoint)
        {
            finish(transfer, .stall)
        } else {
            parked[transfer.endpoint, default: []].append(transfer)
            serve(transfer.endpoint)
        }
    }

    public func withdraw(_ id: TransferID, _ endpoint: EndpointAddress) {
        parked[endpoint]?.removeAll { $0.id == id }
    }

    // MARK: Endpoints

    private static let addresses: Set<EndpointAddress> = [.bulkOut, .bulkIn, .keyboardIn, .keyboardOut]

    private func forget() {
        configuration = 0
        alternates = [:]
        halted = []
        parked = [:]
        echo = []
    }

    private func serve(_ endpoint: EndpointAddress) {
        switch endpoint {
        case .bulkOut:
            while !holdsOut, let transfer = takeParked(endpoint) {
                if sourceFill == nil { echo.append(transfer.data) }
                finish(transfer, .success, taken: transfer.data.count)
            }
            serve(.bulkIn)
        case .bulkIn:
            while let fill = sourceFill, let transfer = takeParked(endpoint) {
                finish(transfer, .success, data: Array(repeating: fill, count: transfer.length))
            }
            while !echo.isEmpty, let transfer = takeParked(endpoint) {
                let data = echo.removeFirst()
                finish(
                    transfer, data.count > transfer.length ? .babble : .success,
                    data: Array(data.prefix(transfer.length)))
            }
        case .keyboardIn:
            while !reports.isEmpty, let transfer = takeParked(endpoint) {
                finish(transfer, .success, data: reports.removeFirst())
            }
        default:
            while let transfer = takeParked(endpoint) {
                interruptOut.append(transfer.data)
                finish(transfer, .success, taken: transfer.data.count)
            }
        }
    }

    private func takeParked(_ endpoint: EndpointAddress) -> Transfer? {
        guard let first = parked[endpoint]?.first else { return nil }
        parked[endpoint]?.removeFirst()
        return first
    }

    private func finish(_ transfer: Transfer, _ status: TransferStatus, data: [UInt8] = [], taken: Int = 0) {
        port?.complete(
            TransferCompletion(
                id: transfer.id, endpoint: transfer.endpoint, status: status, data: data, actualLength: taken))
    }

    // MARK: Chapter 9

    private func control(_ transfer: Transfer, _ setup: SetupPacket) {
        guard let answer = answer(setup) else { return finish(transfer, .stall) }
        finish(transfer, .success, data: Array(answer.prefix(transfer.length)), taken: transfer.data.count)
    }

    /// nil is a stall.
    private func answer(_ setup: SetupPacket) -> [UInt8]? {
        guard let standard = setup.standard else {
            // Class requests of HID: SET_IDLE, SET_PROTOCOL and the like; a vendor request is not known.
            return setup.requestType.kind == .class ? [] : nil
        }
        switch standard {
        case .getDescriptor: return descriptor(UInt8(setup.value >> 8), UInt8(truncatingIfNeeded: setup.value))
        case .getConfiguration: return [configuration]
        case .setConfiguration:
            guard setup.value <= 1 else { return nil }
            configuration = UInt8(setup.value)
            alternates = [:]
            halted = []
            return []
        case .getInterface:
            guard configuration != 0, setup.index < 2 else { return nil }
            return [alternates[UInt8(setup.index)] ?? 0]
        case .setInterface:
            guard configuration != 0, setup.index < 2, setup.value <= (setup.index == 1 ? 1 : 0) else { return nil }
            alternates[UInt8(setup.index)] = UInt8(setup.value)
            return []
        case .clearFeature:
            if setup.requestType.recipient == .endpoint {
                halted.remove(EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index)))
            }
            return []
        case .getStatus: return [0, 0]
        case .setFeature, .setSEL, .setIsochronousDelay, .setAddress: return []
        default: return nil
        }
    }
}

extension EndpointAddress {
    public static let bulkOut = EndpointAddress(1, .out)
    public static let bulkIn = EndpointAddress(1, .in)
    public static let keyboardOut = EndpointAddress(2, .out)
    public static let keyboardIn = EndpointAddress(2, .in)
}
