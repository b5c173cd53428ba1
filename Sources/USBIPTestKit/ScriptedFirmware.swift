import USBCore
import USBDevice

/// A small device whose test decides when and how each transfer ends: chapter 9 answers by itself, all else parks.
///
/// Interface 0 (vendor): bulk OUT 01, bulk IN 81, interrupt IN 82. Interface 1: nothing in alternate 0; isochronous OUT 03
/// and IN 83 in alternate 1.
public final class ScriptedFirmware: Firmware {
    public weak var port: DevicePort?
    public let speeds: Set<Speed>
    /// Control transfers park too.
    public var holdsControl = false
    /// Answers class and vendor requests; nil stalls.
    public var controlAnswer: (SetupPacket, [UInt8]) -> [UInt8]? = { _, _ in nil }
    /// Called before a transfer is forgotten: a device may be faster than the host's taking back.
    public var onWithdraw: (TransferID) -> Void = { _ in }
    /// Bulk IN is always full of this byte.
    public var sourceFill: UInt8?
    /// Bulk OUT is taken at once.
    public var takesOut = false
    public private(set) var configuration: UInt8 = 0
    public private(set) var alternates: [UInt8: UInt8] = [:]
    public private(set) var connections = 0
    public private(set) var isConnected = false
    public private(set) var requests: [SetupPacket] = []
    /// In the order of submission.
    public private(set) var parked: [Transfer] = []
    private var halted: Set<EndpointAddress> = []

    public init(speeds: Set<Speed> = [.full, .high, .super]) {
        self.speeds = speeds
    }

    // MARK: What a test does to it

    public func parked(_ endpoint: EndpointAddress) -> [Transfer] { parked.filter { $0.endpoint == endpoint } }

    /// Ends the oldest transfer of an endpoint.
    ///
    /// - Returns: false when none is parked.
    @discardableResult
    public func complete(
        _ endpoint: EndpointAddress, _ status: TransferStatus = .success, data: [UInt8] = [], taken: Int = 0,
        packets: [IsochronousPacket] = []
    ) -> Bool {
        guard let index = parked.firstIndex(where: { $0.endpoint == endpoint }) else { return false }
        finish(parked.remove(at: index), status, data: data, taken: taken, packets: packets)
        return true
    }

    public func halt(_ endpoint: EndpointAddress) {
        halted.insert(endpoint)
        while complete(endpoint, .stall) {}
    }

    // MARK: Firmware

    public func enumeration(at speed: Speed) -> Enumeration {
        Enumeration(
            speed: speed, device: deviceDescriptor(speed), configurations: [configurationDescriptor(speed)],
            currentConfiguration: configuration, alternateSettings: alternates)
    }

    public func connect(at speed: Speed) {
        connections += 1
        isConnected = true
        forget()
    }

    public func disconnect() {
        isConnected = false
        forget()
    }

    public func busReset() { forget() }

    public func submit(_ transfer: Transfer) {
        if let setup = transfer.setup {
            requests.append(setup)
            if holdsControl {
                parked.append(transfer)
            } else {
                answerControl(transfer, setup)
            }
        } else if configuration == 0 || halted.contains(transfer.endpoint) {
            finish(transfer, .stall)
        } else if transfer.endpoint == .scriptedBulkIn, let sourceFill {
            finish(transfer, .success, data: Array(repeating: sourceFill, count: transfer.length))
        } else if transfer.endpoint == .scriptedBulkOut, takesOut {
            finish(transfer, .success, taken: transfer.length)
        } else {
            parked.append(transfer)
        }
    }

    public func withdraw(_ id: TransferID, _ endpoint: EndpointAddress) {
        onWithdraw(id)
        parked.removeAll { $0.id == id }
    }

    private func forget() {
        configuration = 0
        alternates = [:]
        halted = []
        parked = []
    }

    private func finish(
        _ transfer: Transfer, _ status: TransferStatus, data: [UInt8] = [], taken: Int = 0,
        packets: [IsochronousPacket] = []
    ) {
        port?.complete(
            TransferCompletion(
                id: transfer.id, endpoint: transfer.endpoint, status: status, data: data, actualLength: taken,
                packets: packets))
    }

    // MARK: Chapter 9

    private func answerControl(_ transfer: Transfer, _ setup: SetupPacket) {
        guard let answer = answer(setup, transfer.data) else { return finish(transfer, .stall) }
        // More than was asked for, when the script says so: the wire must not pass it on.
        finish(transfer, .success, data: transfer.endpoint.direction == .in ? answer : [], taken: transfer.data.count)
    }

    private func answer(_ setup: SetupPacket, _ data: [UInt8]) -> [UInt8]? {
        guard let standard = setup.standard else { return controlAnswer(setup, data) }
        let wanted = Int(setup.length)
        switch standard {
        case .getDescriptor:
            return descriptor(UInt8(setup.value >> 8), UInt8(truncatingIfNeeded: setup.value)).map {
                Array($0.prefix(wanted))
            }
        case .getConfiguration: return [configuration]
        case .setConfiguration:
            guard setup.value <= 1 else { return nil }
            endAll { _ in true }
            configuration = UInt8(setup.value)
            alternates = [:]
            halted = []
            return []
        case .getInterface: return [alternates[UInt8(truncatingIfNeeded: setup.index)] ?? 0]
        case .setInterface:
            guard configuration != 0, setup.index < 2, setup.value <= setup.index else { return nil }
            endAll { $0.number == 3 && setup.index == 1 }
            alternates[UInt8(setup.index)] = UInt8(setup.value)
            return []
        case .clearFeature:
            halted.remove(EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index)))
            return []
        case .getStatus: return [0, 0]
        default: return nil
        }
    }

    private func endAll(_ affected: (EndpointAddress) -> Bool) {
        while let index = parked.firstIndex(where: { $0.setup == nil && affected($0.endpoint) }) {
            finish(parked.remove(at: index), .cancelled)
        }
    }
}

extension EndpointAddress {
    public static let scriptedBulkOut = EndpointAddress(1, .out)
    public static let scriptedBulkIn = EndpointAddress(1, .in)
    public static let scriptedInterrupt = EndpointAddress(2, .in)
    public static let scriptedIsochronousOut = EndpointAddress(3, .out)
    public static let scriptedIsochronousIn = EndpointAddress(3, .in)
}
