import USBCore
import USBDevice

@testable import Traffic

/// A clock that stands until a test moves it.
final class ManualClock {
    var nanoseconds: UInt64 = 10_000_000_000
    var wallOffset = 1000.0

    var clock: TrafficClock { TrafficClock(now: { self.nanoseconds }, wallOffset: { self.wallOffset }) }

    func advance(milliseconds: UInt64) { nanoseconds += milliseconds * 1_000_000 }
}

/// A recorder of a device with a `serial` (bulk 81/01, interrupt 82) and a `web` function (bulk 83/02).
func makeRecorder(
    _ clock: ManualClock = ManualClock(), limits: TrafficLimits = TrafficLimits(),
    decoder: (any TransferDecoder)? = nil
) -> TrafficRecorder {
    let recorder = TrafficRecorder(device: "desk", limits: limits, clock: clock.clock, decoder: decoder)
    recorder.assign(interfaceNumber: 0, interface: "serial", classCode: ClassCode(2, 2, 1))
    recorder.assign(interfaceNumber: 1, interface: "serial", classCode: ClassCode(10, 0, 0))
    recorder.assign(interfaceNumber: 2, interface: "web", classCode: ClassCode(255, 0, 0))
    recorder.assign(endpoint: address(0x82), interface: "serial", type: .interrupt, classCode: ClassCode(2, 2, 1))
    recorder.assign(endpoint: address(0x81), interface: "serial", type: .bulk, classCode: ClassCode(10, 0, 0))
    recorder.assign(endpoint: address(0x01), interface: "serial", type: .bulk, classCode: ClassCode(10, 0, 0))
    recorder.assign(endpoint: address(0x83), interface: "web", type: .bulk, classCode: ClassCode(255, 0, 0))
    recorder.assign(endpoint: address(0x02), interface: "web", type: .bulk, classCode: ClassCode(255, 0, 0))
    return recorder
}

func address(_ raw: UInt8) -> EndpointAddress { EndpointAddress(rawValue: raw) }

extension TrafficRecorder {
    /// One whole transfer: IN delivers `bytes`, OUT sends them.
    func pass(_ id: TransferID, _ endpoint: UInt8, _ bytes: [UInt8] = [], status: TransferStatus = .success) {
        let endpoint = address(endpoint)
        if endpoint.direction == .in {
            submitted(.in(id, endpoint.number, length: 4096))
            completed(TransferCompletion(id: id, endpoint: endpoint, status: status, data: bytes))
        } else {
            submitted(.out(id, endpoint.number, data: bytes))
            completed(TransferCompletion(id: id, endpoint: endpoint, status: status, actualLength: bytes.count))
        }
    }

    /// One whole control transfer.
    func control(_ id: TransferID, _ setup: SetupPacket, _ bytes: [UInt8] = [], status: TransferStatus = .success) {
        let transfer = Transfer.control(id, setup, data: bytes)
        submitted(transfer)
        completed(
            TransferCompletion(
                id: id, endpoint: transfer.endpoint, status: status,
                data: transfer.endpoint.direction == .in ? bytes : [], actualLength: bytes.count))
    }
}
