import Testing
import USBCore

@testable import USBDevice

/// Isochronous transfers that are refused, cancelled or cut short.
extension IsochronousTests {
    // MARK: Limits

    @Test func wrongPacketsFailAtOnce() {
        let wrong: [[IsochronousPacket]] = [
            [IsochronousPacket(offset: 0, length: 17)],
            [IsochronousPacket(offset: 10, length: 7)],
            [IsochronousPacket(offset: -1, length: 1)],
            [IsochronousPacket(offset: 0, length: -1)],
            [IsochronousPacket(offset: .max, length: 1)],
            [IsochronousPacket(offset: .max, length: .max)],
            [IsochronousPacket(offset: 0, length: 16), IsochronousPacket(offset: 0, length: 1)],
            Array(repeating: IsochronousPacket(offset: 0, length: 0), count: 1025),
        ]
        for (index, packets) in wrong.enumerated() {
            host.port.submit(.in(TransferID(index), 1, length: 16, packets: packets))
            #expect(host.completions.last?.status == .error)
            #expect(host.completions.last?.packets.count == (packets.count > 1024 ? 0 : packets.count))
        }
        #expect(host.completions.count == wrong.count)
        #expect(clock.scheduledCount == 0)
        submitIn(100, count: 1024, length: 0)
        clock.advance(by: 5 + 8192)
        #expect(host.completions.last?.packets.count == 1024)
    }

    @Test func moreThanSixteenThousandPacketsDoNotWait() {
        for id in 1...16 { submitIn(TransferID(id), count: 1024, length: 0) }
        #expect(host.transfers == [])
        submitIn(17, count: 1, length: 0)
        #expect(host.transfers == ["17 error 0"])
        host.port.cancel(3)
        submitIn(18, count: 1024, length: 0)
        #expect(host.transfers.last == "3 cancelled 0")
        #expect(host.port.pendingCount == 16)
    }

    @Test func withoutAClockTransfersFail() throws {
        let host = try TestHost([IsochronousFunction()])
        #expect(host.request(.out, .standard, .interface, 11, value: 1).status == .success)
        host.port.submit(.in(1, 1, length: 1, packets: [IsochronousPacket(offset: 0, length: 1)]))
        #expect(host.transfers == ["1 error 0"])
    }

    // MARK: Ends

    @Test func aCancelledTransferEndsOnceAndTheOthersKeepTheirTime() {
        for id in 1...3 { submitIn(TransferID(id), count: 2) }
        #expect(host.port.cancel(2))
        clock.advance(by: 5 + 16)
        #expect(host.transfers == ["2 cancelled 0", "1 ok 2"])
        clock.advance(by: 31)
        #expect(host.transfers == ["2 cancelled 0", "1 ok 2"])
        clock.advance(by: 1)
        #expect(host.transfers == ["2 cancelled 0", "1 ok 2", "3 ok 2"])
        #expect(function.asked == [0, 1, 4, 5])
    }

    @Test func afterAllWereCancelledTheNextBeginsAtThePresent() {
        for id in 1...3 { submitIn(TransferID(id), count: 100) }
        for id in 1...3 { #expect(host.port.cancel(TransferID(id))) }
        #expect(clock.scheduledCount == 0)
        submitIn(4, count: 1)
        clock.advance(by: 13)
        #expect(host.transfers.last == "4 ok 1")
    }

    @Test func anAlternateSettingEndsWhatWaitsAndItsEndpoints() {
        submitIn(1, count: 2)
        submitIn(2, count: 2)
        #expect(host.request(.out, .standard, .interface, 11, value: 0).status == .success)
        #expect(host.transfers == ["1 cancelled 0", "2 cancelled 0"])
        clock.advance(by: 100)
        submitIn(3, count: 1)
        #expect(host.transfers.last == "3 stall 0")
        #expect(host.request(.out, .standard, .interface, 11, value: 1).status == .success)
        submitIn(4, count: 1)
        clock.advance(by: 16)
        #expect(host.transfers.last == "4 ok 1")
        // Numbers begin anew.
        #expect(function.asked == [0])
    }

    @Test(arguments: ["reset", "unplug", "deconfigure", "halt"])
    func whateverEndsItEveryTransferCompletesOnce(_ how: String) {
        for id in 1...4 { submitIn(TransferID(id), count: 2) }
        submitOut(5, [[1]])
        clock.advance(by: 5 + 16)
        switch how {
        case "reset": host.port.busReset()
        case "unplug": host.port.disconnect()
        case "deconfigure": host.configure(0)
        default:
            function.context?.halt("in")
            function.context?.halt("out")
        }
        clock.advance(by: 1000)
        let status = ["reset": "cancelled", "unplug": "no-device", "deconfigure": "cancelled"][how] ?? "stall"
        #expect(host.transfers.filter { $0.contains("ok") }.sorted() == ["1 ok 2", "5 ok 1"])
        #expect(host.transfers.filter { !$0.contains("ok") } == (2...4).map { "\($0) \(status) 0" })
        #expect(host.port.pendingCount == 0)
        #expect(clock.scheduledCount == 0)
    }

    @Test func aCompletionThatTakesTheEndpointAwayEndsTheRest() {
        host.onCompletion = { [host] completion in
            if completion.id == 1 { host.configure(0) }
        }
        for id in 1...3 { submitIn(TransferID(id), count: 1) }
        clock.stall(for: 100)
        #expect(host.transfers == ["1 ok 1", "2 cancelled 0", "3 cancelled 0"])
        #expect(clock.scheduledCount == 0)
    }

    @Test func aFunctionThatHaltsWhileItIsAskedDoesNotLoseTheTransfer() {
        function.packet = { [function] interval, _ in
            if interval == 0 { function.context?.halt("in") }
            return []
        }
        submitIn(1, count: 2)
        submitIn(2, count: 2)
        clock.advance(by: 100)
        #expect(host.transfers.sorted() == ["1 ok 0", "2 stall 0"])
        function.packet = { _, _ in [1] }
        #expect(host.request(.out, .standard, .endpoint, 1, index: 0x81).status == .success)
        submitIn(3, count: 1)
        clock.advance(by: 16)
        #expect(host.transfers.last == "3 ok 1")
    }

    @Test func bytesOfAStreamDoNotGoIntoPackets() {
        function.context?.write([9], to: "in", endOfMessage: true)
        #expect(function.context?.queuedBytes("in") == 0)
        submitOut(1, [[1]])
        #expect(function.context?.read("out") == nil)
        #expect(host.transfers == [])
    }
}
