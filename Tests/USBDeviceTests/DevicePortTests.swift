import Testing
import USBCore

@testable import USBDevice

@Suite struct DevicePortTests {
    @Test func cancelCompletesOnceBeforeItReturns() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        host.port.submit(.in(2, 1, length: 64))
        #expect(host.port.cancel(1))
        #expect(host.transfers == ["1 cancelled 0"])
        #expect(!host.port.cancel(1))
        #expect(!host.port.cancel(99))
        function.write([1])
        #expect(host.transfers == ["1 cancelled 0", "2 ok 1"])
        #expect(!host.port.cancel(2))
    }

    @Test func busResetCancelsAndUnconfigures() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        host.port.busReset()
        #expect(host.transfers == ["1 cancelled 0"])
        #expect(function.log == ["activate", "deactivate"])
        host.port.busReset()
        host.port.busReset()
        #expect(function.log == ["activate", "deactivate"])
        host.port.submit(.in(2, 1, length: 64))
        #expect(host.transfers == ["1 cancelled 0", "2 stall 0"])
    }

    @Test func disconnectCompletesEverythingWithNoDevice() throws {
        let function = TestFunction.pipe("a")
        function.onReady = { _, _ in }
        let host = try TestHost([function])
        for id in 1...5 { host.port.submit(.in(TransferID(id), 1, length: 64)) }
        host.port.submit(.out(6, 1, data: [1]))
        host.port.disconnect()
        #expect(host.transfers == (1...6).map { "\($0) no-device 0" })
        #expect(host.port.pendingCount == 0)
        #expect(!host.port.isConnected)
        #expect(function.log == ["activate", "deactivate"])
        host.port.disconnect()
        #expect(host.plugs == ["connect high", "disconnect"])
    }

    /// QEMU's ids are addresses in a ring that wraps, and QEMU aborts when packets of an endpoint end in another order.
    @Test(arguments: [true, false]) func whateverTheirIDsTransfersEndAsTheyCame(byReset: Bool) throws {
        let host = try TestHost([TestFunction.pipe("a")])
        let ids: [TransferID] = [30, 40, 10, 20, 5]
        for id in ids { host.port.submit(.in(id, 1, length: 64)) }
        #expect(host.port.pendingIDs == ids)
        if byReset { host.port.busReset() } else { host.port.disconnect() }
        #expect(host.transfers == ids.map { "\($0) \(byReset ? "cancelled" : "no-device") 0" })
    }

    @Test func aHostThatSubmitsAgainFromCompletionsIsNotLeftWaiting() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        var submitted = 1
        host.onCompletion = { _ in
            if submitted < 10 {
                submitted += 1
                host.port.submit(.in(TransferID(submitted), 1, length: 64))
            }
        }
        host.port.submit(.in(1, 1, length: 64))
        host.port.disconnect()
        #expect(host.transfers == (1...10).map { "\($0) no-device 0" })
        #expect(host.port.pendingCount == 0)
    }

    @Test func disconnectFromACompletionIsOneDisconnect() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.onCompletion = { _ in host.port.disconnect() }
        host.port.submit(.in(1, 1, length: 64))
        host.port.submit(.in(2, 1, length: 64))
        function.write([1])
        #expect(host.transfers == ["1 ok 1", "2 no-device 0"])
        #expect(host.plugs == ["connect high", "disconnect"])
        #expect(function.log == ["activate", "deactivate"])
    }

    @Test func aSecondTransferWithAPendingIDFailsAndTheFirstGoesOn() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        host.port.submit(.out(1, 1, data: [1]))
        #expect(host.transfers == ["1 error 0"])
        #expect(function.received == [])
        function.write([1, 2])
        #expect(host.transfers == ["1 error 0", "1 ok 2"])
    }

    @Test func oneTransferMoreThanMayBePendingFails() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        for id in 1...4096 { host.port.submit(.in(TransferID(id), 1, length: 64)) }
        #expect(host.transfers == [])
        host.port.submit(.in(4097, 1, length: 64))
        #expect(host.transfers == ["4097 error 0"])
        #expect(host.port.cancel(7))
        host.port.submit(.in(7 + 4096, 1, length: 64))
        #expect(host.port.pendingCount == 4096)
    }

    @Test func oneHostAtATimeAndOnlyAtASpeedOfTheDevice() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        let other = try TestHost([TestFunction.pipe("b")], at: nil)
        #expect(throws: DevicePortError.busy) { try host.port.connect(to: other, speed: .high) }
        #expect(throws: DevicePortError.unsupportedSpeed(.low, supported: [.full, .high, .super])) {
            try other.port.connect(to: other, speed: .low)
        }
        #expect(!other.port.isConnected)
    }

    @Test func aHostIsHeldUntilItDisconnects() throws {
        final class Wire: TransferHost {
            func port(_ port: DevicePort, completed completion: TransferCompletion) {}
            func portWantsReconnect(_ port: DevicePort) {}
        }
        let host = try TestHost([TestFunction.pipe("a")], at: nil)
        weak var wire: Wire?
        do {
            let made = Wire()
            wire = made
            try host.port.connect(to: made, speed: .full)
        }
        host.port.submit(.in(2, 0, length: 8))
        #expect(wire != nil)
        host.port.disconnect()
        #expect(wire == nil)
        try host.port.connect(to: host, speed: .high)
        #expect(host.plugs == ["connect full", "disconnect", "connect high"])
        #expect(host.port.pendingCount == 0)
    }

    @Test func aDeviceThatOutlivesItsPortIsHarmless() throws {
        let function = TestFunction.pipe("a")
        let device = try SimulatedDevice(
            identity: DeviceIdentity(product: "Desk", serialNumber: "1"), functions: [function])
        do {
            let port = DevicePort(firmware: device)
            #expect(device.port === port)
        }
        #expect(device.port == nil)
        function.write([1])
        function.context?.report(.note(interface: "a", "late"))
    }

    @Test func aFunctionThatOutlivesItsDeviceIsHarmless() throws {
        let function = TestFunction.pipe("a")
        do { try TestHost([function]).port.disconnect() }
        function.write([1])
        #expect(function.context?.isActive == false)
        #expect(function.context?.read("out") == nil)
    }

    @Test func transfersToAnUnpluggedDeviceEndAtOnce() throws {
        let host = try TestHost([TestFunction.pipe("a")], at: nil)
        host.port.submit(.in(1, 1, length: 8))
        host.port.cancel(1)
        host.port.busReset()
        #expect(host.port.pendingCount == 0)
        #expect(host.completions == [])
    }

    @Test func aCompletionNobodyWaitsForIsDropped() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        host.forget()
        host.port.complete(TransferCompletion(id: 77, endpoint: .controlIn, status: .success))
        #expect(host.completions == [])
    }

    @Test func aLateCompletionOfWhatHadTheSlotBeforeIsDropped() throws {
        let host = try TestHost([TestFunction.pipe("a")])
        host.port.submit(.in(7, 1, length: 64))
        host.port.cancel(7)
        host.port.submit(.in(7 + 4096, 1, length: 64))
        host.forget()
        host.port.complete(TransferCompletion(id: 7, endpoint: EndpointAddress(1, .in), status: .success, data: [1]))
        #expect(!host.port.cancel(7))
        #expect(host.completions == [])
        #expect(host.port.pendingIDs == [7 + 4096])
    }

    @Test func aTapSeesEachTransferOnce() throws {
        final class Tap: TransferTap {
            var seen: [String] = []
            func submitted(_ transfer: Transfer) { seen.append("S\(transfer.id)") }
            func completed(_ completion: TransferCompletion) {
                seen.append("C\(completion.id) \(completion.status.rawValue)")
            }
        }
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        let tap = Tap()
        host.port.tap = tap
        for id in 1...3 { host.port.submit(.in(TransferID(id), 1, length: 64)) }
        host.port.submit(.in(2, 1, length: 64))
        function.write([1])
        host.port.cancel(2)
        host.port.disconnect()
        #expect(tap.seen == ["S1", "S2", "S3", "S2", "C2 error", "C1 ok", "C2 cancelled", "C3 no-device"])
    }

    @Test func aDeviceCanBePluggedAgainAtAnotherSpeed() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.disconnect()
        try host.port.connect(to: host, speed: .super)
        #expect(host.request(.in, .standard, .device, 8, length: 1).data == [0])
        host.configure()
        #expect(host.device.endpointSummaries(of: "a").map(\.maxPacketSize) == [1024, 1024])
        #expect(function.context?.speed == .super)
    }

    @Test func unplugFromACompletionOfSetConfigurationEndsIt() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 8))
        host.onCompletion = { completion in
            guard completion.id == 1 else { return }
            host.port.disconnect()
            do { try host.port.connect(to: host, speed: .high) } catch { Issue.record(error) }
        }
        let setup = SetupPacket(requestType: RequestType(.out, .standard, .device), request: 9, value: 1)
        host.port.submit(.control(2, setup))
        #expect(host.completions.filter { $0.id == 2 }.map(\.status) == [.noDevice])
        #expect(host.request(.in, .standard, .device, 8, length: 1).data == [0])
        #expect(function.log == ["activate", "deactivate"])
    }

    @Test func reconfigurationFromACompletionLosesNothing() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        var again = true
        host.onCompletion = { completion in
            guard again, completion.status == .cancelled else { return }
            again = false
            host.configure()
            host.port.submit(.in(2, 1, length: 8))
        }
        host.port.submit(.in(1, 1, length: 8))
        host.configure()
        #expect(function.context?.isActive == true)
        #expect(host.transfers == ["1 cancelled 0", "2 cancelled 0"])
        #expect(function.log.last == "activate")
        #expect(host.port.pendingCount == 0)
    }
}
