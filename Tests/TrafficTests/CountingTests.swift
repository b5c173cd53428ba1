import ControlProtocol
import Testing
import USBCore
import USBDevice

@testable import Traffic

@Suite struct CountingTests {
    @Test func bytesCountForTheirInterfaceAndTheDevice() {
        let recorder = makeRecorder()
        recorder.pass(1, 0x81, [1, 2, 3])
        recorder.pass(2, 0x01, [1, 2, 3, 4, 5])
        recorder.pass(3, 0x82, [9])
        recorder.pass(4, 0x02, [7, 7])
        #expect(
            recorder.counters(interface: "serial")
                == Counters(bytesIn: 4, bytesOut: 5, transfersIn: 2, transfersOut: 1))
        #expect(recorder.counters(interface: "web") == Counters(bytesOut: 2, transfersOut: 1))
        #expect(recorder.counters() == Counters(bytesIn: 4, bytesOut: 7, transfersIn: 2, transfersOut: 2))
        #expect(recorder.counters(interface: "nobody") == Counters())
    }

    @Test func endpointZeroCountsForTheDeviceOnly() {
        let recorder = makeRecorder()
        let lineCoding = SetupPacket(
            requestType: RequestType(.out, .class, .interface), request: 0x20, index: 0, length: 7)
        recorder.control(1, lineCoding, [0, 0xC2, 1, 0, 0, 0, 8])
        #expect(recorder.counters(interface: "serial") == Counters())
        #expect(recorder.counters() == Counters(bytesOut: 7, transfersOut: 1))
    }

    @Test func endpointsOfNobodyCountForTheDeviceOnly() {
        let recorder = makeRecorder()
        recorder.pass(1, 0x8F, [], status: .stall)
        #expect(recorder.counters() == Counters(transfersIn: 1, stalls: 1))
        #expect(recorder.view(after: 0).transfers.map(\.interface) == [nil])
    }

    @Test(arguments: [
        (TransferStatus.success, Counters(transfersIn: 1)), (.shortPacket, Counters(transfersIn: 1)),
        (.stall, Counters(transfersIn: 1, stalls: 1)), (.cancelled, Counters(transfersIn: 1, cancelled: 1)),
        (.noDevice, Counters(transfersIn: 1, cancelled: 1)), (.babble, Counters(transfersIn: 1, errors: 1)),
        (.timeout, Counters(transfersIn: 1, errors: 1)), (.error, Counters(transfersIn: 1, errors: 1)),
    ])
    func eachStatusCountsOnce(status: TransferStatus, expected: Counters) {
        let recorder = makeRecorder()
        recorder.pass(1, 0x83, status: status)
        #expect(recorder.counters(interface: "web") == expected)
        #expect(recorder.counters() == expected)
    }

    @Test func aNegativeLengthFromTheDeviceCountsAsNothing() {
        let recorder = makeRecorder()
        recorder.submitted(.out(1, 1, data: [1]))
        recorder.completed(
            TransferCompletion(id: 1, endpoint: address(0x01), status: .success, actualLength: -5))
        #expect(recorder.counters() == Counters(transfersOut: 1))
    }

    @Test func countersOfAnInterfaceSurviveReEnumeration() {
        let recorder = makeRecorder()
        recorder.pass(1, 0x83, [1, 2])
        recorder.unassignAll()
        recorder.pass(2, 0x83, [1])
        recorder.assign(endpoint: address(0x84), interface: "web", type: .bulk, classCode: nil)
        recorder.pass(3, 0x84, [1, 2, 3])
        #expect(recorder.counters(interface: "web") == Counters(bytesIn: 5, transfersIn: 2))
        #expect(recorder.counters() == Counters(bytesIn: 6, transfersIn: 3))
        #expect(recorder.view(after: 0).transfers.map(\.interface) == ["web", nil, "web"])
    }

    @Test func namesBeyondTheLimitCountForTheDeviceOnly() {
        let recorder = makeRecorder(limits: TrafficLimits(interfaces: 2))
        recorder.assign(endpoint: address(0x85), interface: "third", type: .bulk, classCode: nil)
        recorder.pass(1, 0x85, [1])
        #expect(recorder.counters(interface: "third") == Counters())
        #expect(recorder.counters() == Counters(bytesIn: 1, transfersIn: 1))
    }

    @Test func configureTakesOwnersAndTypesFromAnEnumeration() {
        let interrupt = EndpointDescriptor(
            address: address(0x81), attributes: 3, maxPacketSizeWord: 8, interval: 8)
        let bulk = EndpointDescriptor(address: address(0x02), attributes: 2, maxPacketSizeWord: 512, interval: 0)
        let enumeration = Enumeration(
            speed: .high,
            device: DeviceDescriptor(
                usbRelease: 0x0200, maxPacketSize0: 64, idVendor: 1, idProduct: 2, deviceRelease: 3),
            configurations: [
                ConfigurationDescriptor(interfaces: [
                    InterfaceDescriptor(
                        interfaceNumber: 0, interfaceClass: 3, interfaceSubClass: 0, interfaceProtocol: 0,
                        endpoints: [interrupt]),
                    InterfaceDescriptor(
                        interfaceNumber: 1, interfaceClass: 8, interfaceSubClass: 6, interfaceProtocol: 0x50),
                    InterfaceDescriptor(
                        interfaceNumber: 1, alternateSetting: 1, interfaceClass: 8, interfaceSubClass: 6,
                        interfaceProtocol: 0x62, endpoints: [bulk]),
                ])
            ])
        let recorder = makeRecorder()
        recorder.configure(enumeration) { $0 == 0 ? "keys" : "disk" }
        recorder.pass(1, 0x81, [1])
        recorder.pass(2, 0x02, [1, 2])
        recorder.pass(3, 0x83, [1])
        let rows = recorder.view(after: 0).transfers
        #expect(rows.map(\.interface) == ["keys", "disk", nil])
        #expect(rows.map(\.type) == ["interrupt", "bulk", "bulk"])
        #expect(recorder.counters(interface: "disk") == Counters(bytesOut: 2, transfersOut: 1))
    }
}
