import NIOCore
import USBCore
import USBDevice

/// A guest's host controller on a device port: submits transfers and takes their completions.
final class Guest: TransferHost, DevicePortObserver {
    let port: DevicePort
    let loop: any EventLoop
    private let feed: AsyncStream<DeviceChange>.Continuation
    private var waiting = TransferSlots<(TransferCompletion) -> Void>()
    private(set) var endpoints: [EndpointDescriptor] = []

    init(function: any Function, speed: Speed, feed: AsyncStream<DeviceChange>.Continuation, loop: any EventLoop) throws
    {
        self.feed = feed
        self.loop = loop
        let device = try SimulatedDevice(
            identity: DeviceIdentity(product: "bench", serialNumber: "1"), functions: [function])
        port = DevicePort(firmware: device)
        port.observer = self
        try port.connect(to: self, speed: speed)
        endpoints = device.enumeration(at: speed).configurations.flatMap(\.interfaces).flatMap(\.endpoints)
    }

    var configuration: ConfigurationDescriptor? {
        port.speed.flatMap { port.firmware.enumeration(at: $0).configurations.first }
    }

    /// The endpoint number of the first endpoint of a kind.
    func number(_ type: TransferType, _ direction: Direction) -> UInt8 {
        endpoints.first { $0.type == type && $0.address.direction == direction }?.address.number ?? 0
    }

    @discardableResult
    func submit(_ make: (TransferID) -> Transfer, _ completed: @escaping (TransferCompletion) -> Void) -> TransferID {
        guard let id = waiting.add(completed) else {
            completed(TransferCompletion(id: 0, endpoint: .controlOut, status: .error))
            return 0
        }
        port.submit(make(id))
        return id
    }

    /// Takes back everything that waits.
    func cancelParked() {
        for id in waiting.ids { port.cancel(id) }
    }

    /// A control transfer; functions answer at once.
    @discardableResult
    func control(
        _ type: UInt8, _ request: UInt8, value: UInt16 = 0, index: UInt16 = 0, length: UInt16 = 0, data: [UInt8] = []
    ) -> TransferCompletion? {
        var answer: TransferCompletion?
        let setup = SetupPacket(
            requestType: RequestType(rawValue: type), request: request, value: value, index: index,
            length: type & 0x80 == 0 ? UInt16(data.count) : length)
        submit({ .control($0, setup, data: data) }, { answer = $0 })
        return answer
    }

    func configure(_ value: UInt16 = 1) {
        control(0x00, 9, value: value)
    }

    func port(_ port: DevicePort, completed completion: TransferCompletion) {
        waiting.remove(completion.id)?(completion)
    }

    func portWantsReconnect(_ port: DevicePort) {}
    func portDidConnect(_ port: DevicePort, speed: Speed) {}
    func portDidDisconnect(_ port: DevicePort) {}

    func port(_ port: DevicePort, changed change: DeviceChange) {
        feed.yield(change)
    }
}
