import Testing
import USBCore

@testable import USBDevice

@Suite struct StandardRequestTests {
    private let halt: UInt16 = 0

    @Test func getStatusOfTheDeviceIsSelfPowered() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        #expect(host.request(.in, .standard, .device, 0, length: 2).data == [1, 0])
    }

    @Test func getStatusOfAnInterface() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        #expect(host.request(.in, .standard, .interface, 0, length: 2).data == [0, 0])
        #expect(host.request(.in, .standard, .interface, 0, index: 1, length: 2).status == .stall)
        #expect(host.request(.in, .standard, .interface, 0, index: 0x100, length: 2).status == .stall)
    }

    @Test func getStatusOfAnEndpointTellsTheHalt() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x81, length: 2).data == [0, 0])
        #expect(host.request(.out, .standard, .endpoint, 3, value: halt, index: 0x81).status == .success)
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x81, length: 2).data == [1, 0])
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x01, length: 2).data == [0, 0])
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x00, length: 2).data == [0, 0])
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x80, length: 2).data == [0, 0])
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x82, length: 2).status == .stall)
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x91, length: 2).status == .stall)
    }

    @Test func setFeatureHaltStallsUntilClearFeature() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        #expect(host.request(.out, .standard, .endpoint, 3, value: halt, index: 0x81).status == .success)
        host.port.submit(.in(2, 1, length: 64))
        #expect(host.transfers == ["1 stall 0", "2 stall 0"])
        function.write([1, 2, 3])
        #expect(host.request(.out, .standard, .endpoint, 1, value: halt, index: 0x81).status == .success)
        host.port.submit(.in(3, 1, length: 64))
        #expect(host.transfers == ["1 stall 0", "2 stall 0", "3 ok 3"])
    }

    @Test func clearFeatureHaltOfAnEndpointThatIsNotHaltedSucceedsAndLeavesTransfersParked() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        #expect(host.request(.out, .standard, .endpoint, 1, value: halt, index: 0x81).status == .success)
        #expect(host.transfers == [])
        #expect(host.request(.out, .standard, .endpoint, 1, value: halt, index: 0).status == .success)
        #expect(host.request(.out, .standard, .endpoint, 1, value: halt, index: 0x85).status == .stall)
        #expect(host.request(.out, .standard, .endpoint, 1, value: 7, index: 0x81).status == .stall)
    }

    @Test func remoteWakeupAndTestModeAreRefused() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        #expect(host.request(.out, .standard, .device, 3, value: 1).status == .stall)
        #expect(host.request(.out, .standard, .device, 3, value: 2, index: 0x100).status == .stall)
    }

    @Test func powerFeaturesExistAtSuperSpeedOnly() throws {
        let fast = try TestHost([TestFunction.pipe("a")], at: .super)
        #expect(fast.request(.out, .standard, .device, 3, value: 48).status == .success)
        #expect(fast.request(.in, .standard, .device, 0, length: 2).data == [5, 0])
        #expect(fast.request(.out, .standard, .device, 3, value: 49).status == .success)
        #expect(fast.request(.out, .standard, .device, 1, value: 48).status == .success)
        #expect(fast.request(.in, .standard, .device, 0, length: 2).data == [9, 0])
        #expect(fast.request(.out, .standard, .interface, 3, value: 0, index: 0).status == .success)
        #expect(fast.request(.out, .standard, .device, 48, data: [1, 2, 3, 4, 5, 6]).status == .success)
        #expect(fast.request(.out, .standard, .device, 48, data: [1, 2]).status == .stall)
        #expect(fast.request(.in, .standard, .device, 48, length: 6).status == .stall)
        #expect(fast.request(.out, .standard, .device, 49, value: 40).status == .success)
        let high = try TestHost([TestFunction.pipe("a")], at: .high)
        #expect(high.request(.out, .standard, .device, 3, value: 48).status == .stall)
        #expect(high.request(.out, .standard, .interface, 3, value: 0).status == .stall)
        #expect(high.request(.out, .standard, .device, 48, data: [1, 2, 3, 4, 5, 6]).status == .stall)
        #expect(high.request(.out, .standard, .device, 49).status == .stall)
    }

    @Test func setConfigurationActivatesAndZeroDeactivates() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function], configured: false)
        #expect(host.request(.in, .standard, .device, 8, length: 1).data == [0])
        #expect(function.context?.isActive == false)
        host.configure()
        #expect(host.request(.in, .standard, .device, 8, length: 1).data == [1])
        #expect(function.context?.isActive == true)
        host.configure(0)
        #expect(host.request(.in, .standard, .device, 8, length: 1).data == [0])
        #expect(function.log == ["activate", "deactivate"])
        #expect(host.changes == [.configured(1), .configured(0)])
    }

    @Test func setConfigurationAgainCancelsWhatIsParked() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        host.configure()
        #expect(host.transfers == ["1 cancelled 0"])
        #expect(function.log == ["activate", "deactivate", "activate"])
    }

    @Test func setConfigurationToAnUnknownValueStallsAndChangesNothing() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        #expect(host.request(.out, .standard, .device, 9, value: 2).status == .stall)
        #expect(host.request(.out, .standard, .device, 9, value: 0x0101).status == .stall)
        #expect(host.request(.in, .standard, .device, 8, length: 1).data == [1])
        #expect(function.log == ["activate"])
    }

    @Test func setInterfaceSelectsEndpoints() throws {
        let function = TestFunction.network("n")
        let host = try TestHost([function])
        host.port.submit(.in(1, 2, length: 64))
        #expect(host.transfers == ["1 stall 0"])
        #expect(host.request(.in, .standard, .interface, 10, index: 1, length: 1).data == [0])
        #expect(host.request(.out, .standard, .interface, 11, value: 1, index: 1).status == .success)
        #expect(host.request(.in, .standard, .interface, 10, index: 1, length: 1).data == [1])
        host.port.submit(.in(2, 2, length: 64))
        #expect(host.transfers == ["1 stall 0"])
        #expect(host.request(.out, .standard, .interface, 11, value: 0, index: 1).status == .success)
        #expect(host.transfers == ["1 stall 0", "2 cancelled 0"])
        #expect(function.log == ["activate", "alternate 1 1", "alternate 1 0"])
    }

    @Test func setInterfaceLeavesSiblingsAlone() throws {
        let host = try TestHost([TestFunction.network("n")])
        host.port.submit(.in(1, 1, length: 16))
        #expect(host.request(.out, .standard, .interface, 11, value: 1, index: 1).status == .success)
        #expect(host.transfers == [])
        #expect(host.request(.out, .standard, .interface, 11, value: 0, index: 0).status == .success)
        #expect(host.transfers == ["1 cancelled 0"])
    }

    @Test func setInterfaceClearsAHalt() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        #expect(host.request(.out, .standard, .endpoint, 3, value: halt, index: 0x81).status == .success)
        #expect(host.request(.out, .standard, .interface, 11, value: 0, index: 0).status == .success)
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x81, length: 2).data == [0, 0])
    }

    @Test func interfaceRequestsWithWrongNumbersStall() throws {
        let host = try TestHost([TestFunction.network("n")])
        #expect(host.request(.out, .standard, .interface, 11, value: 2, index: 1).status == .stall)
        #expect(host.request(.out, .standard, .interface, 11, value: 0x100, index: 1).status == .stall)
        #expect(host.request(.out, .standard, .interface, 11, value: 0, index: 2).status == .stall)
        #expect(host.request(.out, .standard, .interface, 11, value: 0, index: 0xFFFF).status == .stall)
        #expect(host.request(.in, .standard, .interface, 10, index: 9, length: 1).status == .stall)
    }

    @Test func requestsThatNeedAConfigurationStallWithoutOne() throws {
        let function = TestFunction.pipe("a")
        function.onControl = { _, _, _ in .acknowledge([1]) }
        let host = try TestHost([function], at: .super, configured: false)
        #expect(host.request(.in, .standard, .interface, 0, length: 2).status == .stall)
        #expect(host.request(.in, .standard, .endpoint, 0, index: 0x81, length: 2).status == .stall)
        #expect(host.request(.out, .standard, .endpoint, 3, value: halt, index: 0x81).status == .stall)
        #expect(host.request(.out, .standard, .interface, 3, value: 0).status == .stall)
        #expect(host.request(.out, .standard, .device, 3, value: 48).status == .stall)
        #expect(host.request(.in, .standard, .interface, 10, length: 1).status == .stall)
        #expect(host.request(.out, .standard, .interface, 11).status == .stall)
        #expect(host.request(.in, .class, .interface, 1).status == .stall)
        host.port.submit(.in(1, 1, length: 64))
        host.port.submit(.out(2, 1, data: [1]))
        #expect(host.transfers == ["1 stall 0", "2 stall 0"])
        #expect(host.request(.in, .standard, .device, 0, length: 2).data == [1, 0])
    }

    @Test func setAddressBeforeConfigurationOnly() throws {
        let host = try TestHost([TestFunction.pipe("a")], configured: false)
        #expect(host.request(.out, .standard, .device, 5, value: 127).status == .success)
        #expect(host.request(.out, .standard, .device, 5, value: 128).status == .stall)
        #expect(host.device.state.address == 127)
        host.configure()
        #expect(host.request(.out, .standard, .device, 5, value: 3).status == .stall)
        host.port.busReset()
        #expect(host.device.state.address == 0)
    }

    @Test func requestsThatDoNotExistStall() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        for request in [UInt8(2), 4, 7, 12, 13, 47, 50, 255] {
            #expect(host.request(.out, .standard, .device, request).status == .stall)
            #expect(host.request(.in, .standard, .device, request).status == .stall)
        }
        #expect(host.request(.in, .reserved, .device, 6, value: 0x0100).status == .stall)
        #expect(host.request(.out, .standard, .device, 6, value: 0x0100).status == .stall)
        #expect(host.request(.out, .standard, .device, 0).status == .stall)
        #expect(host.request(.in, .standard, .device, 9, value: 1).status == .stall)
        #expect(host.request(.in, .standard, .interface, 6, value: 0x0100).status == .stall)
        #expect(host.request(.in, .standard, .other, 0).status == .stall)
        #expect(host.request(.in, .vendor, .device, 1).status == .stall)
        #expect(host.request(.in, .class, .other, 1).status == .stall)
    }

    @Test func everySetupPacketIsAnsweredExactlyOnce() throws {
        var random = SystemRandomNumberGenerator()
        let host = try TestHost([TestFunction.network("n"), TestFunction.pipe("a", compatibleID: "WINUSB")])
        for id in 1...20_000 {
            let setup = SetupPacket(
                requestType: RequestType(rawValue: UInt8.random(in: 0...255, using: &random)),
                request: UInt8.random(in: 0...15, using: &random), value: UInt16.random(in: 0...0x0FFF, using: &random),
                index: UInt16.random(in: 0...0x0FFF, using: &random), length: UInt16.random(in: 0...80, using: &random))
            host.forget()
            host.port.submit(
                .control(
                    TransferID(id), setup, data: [UInt8](repeating: 0, count: Int.random(in: 0...80, using: &random))))
            #expect(host.completions.map(\.id) == [TransferID(id)])
            #expect(host.completions[0].data.count <= Int(setup.length))
        }
    }

    @Test func aDataStageOfAnotherLengthThanWLengthStalls() throws {
        let function = TestFunction.pipe("a")
        function.onControl = { _, _, _ in .acknowledge() }
        let host = try TestHost([function])
        #expect(host.request(.out, .class, .interface, 0x20, data: [1, 2]).status == .success)
        #expect(host.request(.out, .class, .interface, 0x20, length: 7, data: [1, 2]).status == .stall)
        #expect(host.request(.out, .class, .interface, 0x20, length: 0, data: [1, 2]).status == .stall)
    }

    @Test func classRequestsReachTheFunctionThatOwnsTheInterfaceOrEndpoint() throws {
        let network = TestFunction.network("n")
        let pipe = TestFunction.pipe("a")
        var seen: [String] = []
        network.onControl = { setup, data, offset in
            seen.append("n \(setup.request) \(data) \(offset)")
            return .acknowledge([1, 2, 3])
        }
        pipe.onControl = { setup, data, offset in
            seen.append("a \(setup.request) \(data) \(offset)")
            return .acknowledge()
        }
        let host = try TestHost([network, pipe])
        #expect(host.request(.in, .class, .interface, 0x80, index: 1, length: 2).data == [1, 2])
        let out = host.request(.out, .vendor, .interface, 1, index: 0x0402, data: [9])
        #expect(out.status == .success)
        #expect(out.actualLength == 1)
        #expect(host.request(.out, .class, .endpoint, 2, index: 0x82).status == .stall)
        #expect(host.request(.out, .class, .endpoint, 2, index: 0x83).status == .success)
        #expect(host.request(.out, .class, .endpoint, 3, index: 0x81).status == .success)
        #expect(host.request(.in, .class, .interface, 1, index: 3).status == .stall)
        #expect(seen == ["n 128 [] 1", "a 1 [9] 0", "a 2 [] 0", "n 3 [] 0"])
    }
}
