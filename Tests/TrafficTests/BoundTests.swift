import Testing
import USBCore
import USBDevice

@testable import Traffic

@Suite struct BoundTests {
    @Test func theDefaultsAreAboutTwoMebibytesADevice() {
        #expect(TrafficLimits().rows == 8192)
        #expect(TrafficLimits().memoryBound < 5 << 19)
    }

    @Test func bytesLimitTheRowsToo() {
        #expect(TrafficLimits(rows: 1000, bytes: 10 * TransferRing.rowBytes + 5).rows == 10)
        #expect(TrafficLimits(rows: -4, bytes: 0).rows == 1)
    }

    @Test func nothingGrowsPastTheBound() {
        let limits = TrafficLimits(rows: 300, pending: 100, interfaces: 5, assignments: 20)
        let recorder = makeRecorder(limits: limits)
        for round in 0..<2000 {
            let number = UInt8(round % 15 + 1)
            recorder.assign(
                endpoint: EndpointAddress(number, .in), interface: "interface \(round)", type: .bulk,
                classCode: ClassCode(UInt8(round % 251), UInt8(round % 7), 0))
            recorder.assign(interfaceNumber: UInt8(round % 256), interface: "other \(round)", classCode: nil)
            // Never completed: as a guest that floods and forgets.
            recorder.submitted(.out(TransferID(round), 1, data: [UInt8](repeating: 0, count: 4096)))
            recorder.pass(1 << 40 + 2000 + TransferID(round), 0x80 | number, [UInt8](repeating: 1, count: 200))
        }
        #expect(recorder.pendingCount == 100)
        #expect(recorder.interfaces.count == 5)
        #expect(recorder.assignments.count == 20)
        #expect(recorder.view(after: 0, limit: .max).transfers.count == 300)
        #expect(recorder.allocatedBytes <= limits.memoryBound)
        #expect(recorder.allocatedBytes > limits.memoryBound / 4)
    }

    @Test func anIdleRecorderHoldsLittle() {
        #expect(makeRecorder().allocatedBytes < 4096)
    }

    @Test func aPortsRefusalsAndUnplugReachTheRecorderOnceEach() throws {
        final class Sink: Firmware {
            weak var port: DevicePort?
            let speeds: Set<Speed> = [.high]
            func enumeration(at speed: Speed) -> Enumeration {
                Enumeration(
                    speed: speed,
                    device: DeviceDescriptor(
                        usbRelease: 0x0200, maxPacketSize0: 64, idVendor: 0, idProduct: 0, deviceRelease: 0),
                    configurations: [])
            }
            func connect(at speed: Speed) {}
            func disconnect() {}
            func busReset() {}
            func submit(_ transfer: Transfer) {}
            func withdraw(_ id: TransferID, _ endpoint: EndpointAddress) {}
        }
        final class Host: TransferHost {
            func port(_ port: DevicePort, completed completion: TransferCompletion) {}
            func portWantsReconnect(_ port: DevicePort) {}
        }
        let port = DevicePort(firmware: Sink())
        let recorder = makeRecorder()
        let host = Host()
        port.tap = recorder
        try port.connect(to: host, speed: .high)
        for id in 0..<4100 { port.submit(.in(TransferID(id), 1, length: 64)) }
        port.submit(.in(3, 1, length: 64))
        #expect(recorder.counters(interface: "serial").errors == 5)
        #expect(recorder.pendingCount == 4096)
        port.disconnect()
        port.submit(.in(1, 1, length: 64))
        #expect(recorder.pendingCount == 0)
        #expect(recorder.counters(interface: "serial").cancelled == 4097)
        #expect(recorder.counters(interface: "serial").transfersIn == 4102)
    }
}
