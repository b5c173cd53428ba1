import Testing
import USBCore

@testable import USBDevice

/// A wire and a guest in one: submits, and keeps every completion.
final class TestHost: TransferHost {
    let device: SimulatedDevice
    let port: DevicePort
    private(set) var completions: [TransferCompletion] = []
    private(set) var reconnects = 0
    private(set) var changes: [DeviceChange] = []
    private(set) var plugs: [String] = []
    /// Called after a completion was kept.
    var onCompletion: (TransferCompletion) -> Void = { _ in }
    private var nextID: TransferID = 1000
    private let observer = Observer()

    init(
        _ functions: [any Function], speeds: Set<Speed> = [.full, .high, .super], at speed: Speed? = .high,
        configured: Bool = true
    ) throws {
        device = try SimulatedDevice(
            identity: DeviceIdentity(product: "Desk", serialNumber: "S1"), functions: functions, speeds: speeds)
        port = DevicePort(firmware: device)
        observer.host = self
        port.observer = observer
        if let speed {
            try port.connect(to: self, speed: speed)
            if configured { configure() }
        }
    }

    func port(_ port: DevicePort, completed completion: TransferCompletion) {
        completions.append(completion)
        onCompletion(completion)
    }
    func portWantsReconnect(_ port: DevicePort) { reconnects += 1 }

    /// Somebody else than the host, which hears of a disconnect too.
    private final class Observer: DevicePortObserver {
        weak var host: TestHost?

        func portDidConnect(_ port: DevicePort, speed: Speed) { host?.plugs.append("connect \(speed.name)") }
        func portDidDisconnect(_ port: DevicePort) { host?.plugs.append("disconnect") }
        func port(_ port: DevicePort, changed change: DeviceChange) { host?.changes.append(change) }
    }

    func configure(_ value: UInt16 = 1) {
        #expect(request(.out, .standard, .device, 9, value: value).status == .success)
    }

    /// One control transfer to its end; an IN request for 0 bytes has `length` 0.
    func request(
        _ direction: Direction, _ kind: RequestType.Kind, _ recipient: RequestType.Recipient, _ request: UInt8,
        value: UInt16 = 0, index: UInt16 = 0, length: UInt16? = nil, data: [UInt8] = []
    ) -> TransferCompletion {
        nextID += 1
        let id = nextID
        let setup = SetupPacket(
            requestType: RequestType(direction, kind, recipient), request: request, value: value, index: index,
            length: length ?? (direction == .in ? 4096 : UInt16(data.count)))
        port.submit(.control(id, setup, data: data))
        guard let last = completions.last(where: { $0.id == id }) else {
            Issue.record("request \(request) did not complete")
            return TransferCompletion(id: id, endpoint: .controlIn, status: .timeout)
        }
        return last
    }

    /// GET_DESCRIPTOR; nil when it stalls.
    func descriptor(_ type: UInt8, _ number: UInt8 = 0, index: UInt16 = 0, length: UInt16 = 4096) -> [UInt8]? {
        let completion = request(
            .in, .standard, .device, 6, value: UInt16(type) << 8 | UInt16(number), index: index, length: length)
        return completion.status == .success ? completion.data : nil
    }

    /// Completions on endpoints other than 0, as `id status bytes`.
    var transfers: [String] {
        completions.filter { $0.endpoint.number != 0 }.map {
            "\($0.id) \($0.status.rawValue) \($0.endpoint.direction == .in ? $0.data.count : $0.actualLength)"
        }
    }

    func forget() { completions = [] }
}
