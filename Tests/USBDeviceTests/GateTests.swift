import Testing
import USBCore

@testable import USBDevice

@Suite struct GateTests {
    @Test func muteParksAndUnmuteGoesOn() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        #expect(host.device.setGate(.muted, of: "a"))
        host.port.submit(.in(1, 1, length: 64))
        host.port.submit(.out(2, 1, data: [1, 2]))
        function.write([9])
        #expect(function.context?.read("out") == nil)
        #expect(host.transfers == [])
        #expect(host.reconnects == 0)
        #expect(host.device.setGate(.on, of: "a"))
        #expect(Set(host.transfers) == ["1 ok 1", "2 ok 2"])
        #expect(function.received == [[1, 2]])
    }

    @Test func muteFromACompletionStopsTheNext() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.onCompletion = { _ in host.device.setGate(.muted, of: "a") }
        host.port.submit(.in(1, 1, length: 1))
        host.port.submit(.in(2, 1, length: 1))
        function.write([1, 2])
        #expect(host.transfers == ["1 ok 1"])
    }

    @Test func muteLeavesSiblingsAlone() throws {
        let muted = TestFunction.pipe("a")
        let other = TestFunction.pipe("b")
        let host = try TestHost([muted, other])
        host.device.setGate(.muted, of: "a")
        host.port.submit(.in(1, 2, length: 64))
        other.write([1])
        #expect(host.transfers == ["1 ok 1"])
    }

    @Test func hidingAndShowingAskForReconnection() throws {
        let host = try TestHost([TestFunction.pipe("a"), TestFunction.pipe("b")])
        host.device.setGate(.hidden, of: "a")
        #expect(host.reconnects == 1)
        host.device.setGate(.hidden, of: "a")
        #expect(host.reconnects == 1)
        host.device.setGate(.muted, of: "a")
        #expect(host.reconnects == 2)
        host.device.setGate(.on, of: "a")
        #expect(host.reconnects == 2)
        #expect(!host.device.setGate(.on, of: "nobody"))
        #expect(host.device.gate(of: "nobody") == nil)
    }

    @Test func hidingAnUnpluggedDevicesFunctionAsksNobody() throws {
        let host = try TestHost([TestFunction.pipe("a")], at: nil)
        host.device.setGate(.hidden, of: "a")
        #expect(host.reconnects == 0)
        #expect(host.device.visibleFunctionCount == 0)
    }

    @Test func addressesStayWhenASiblingIsHidden() throws {
        let functions = ["a", "b", "c"].map { TestFunction.pipe($0) }
        let host = try TestHost(functions)
        let before = host.device.endpointSummaries(of: "c").map(\.address.rawValue)
        #expect(host.device.interfaceNumber(of: "c") == 2)
        host.device.setGate(.hidden, of: "b")
        host.port.disconnect()
        try host.port.connect(to: host, speed: .high)
        host.configure()
        #expect(host.device.endpointSummaries(of: "c").map(\.address.rawValue) == before)
        #expect(before == [0x03, 0x83])
        #expect(host.device.interfaceNumber(of: "c") == 1)
        #expect(host.device.interfaceNumber(of: "b") == nil)
        #expect(host.device.functionName(interface: 1) == "c")
        #expect(host.device.functionName(interface: 2) == nil)
        #expect(host.device.functionName(endpoint: EndpointAddress(rawValue: 0x83)) == "c")
        #expect(host.device.functionName(endpoint: EndpointAddress(rawValue: 0x82)) == nil)
        host.port.submit(.in(1, 2, length: 8))
        #expect(host.transfers == ["1 stall 0"])
        #expect(functions[1].log == ["activate", "deactivate"])
        functions[1].write([1])
        let configuration = try ConfigurationDescriptor(
            parsing: #require(host.descriptor(DescriptorType.configuration)))
        #expect(configuration.interfaces.map(\.interfaceNumber) == [0, 1])
    }
}
