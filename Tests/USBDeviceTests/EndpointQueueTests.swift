import Testing
import USBCore

@testable import USBDevice

@Suite struct EndpointQueueTests {
    @Test func anInTransferParksUntilThereIsData() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 64))
        #expect(host.transfers == [])
        function.write([1, 2, 3])
        #expect(host.completions.last?.data == [1, 2, 3])
        #expect(host.transfers == ["1 ok 3"])
    }

    @Test func bytesWaitForTransfersInOrder() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([1, 2, 3])
        function.write([4, 5])
        #expect(function.context?.queuedBytes("in") == 5)
        for id in 1...3 { host.port.submit(.in(TransferID(id), 1, length: 2)) }
        #expect(host.completions.filter { $0.endpoint.number == 1 }.map(\.data) == [[1, 2], [3, 4], [5]])
        #expect(function.context?.queuedBytes("in") == 0)
    }

    @Test func aMessageEndsItsTransfer() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([1, 2, 3], endOfMessage: true)
        function.write([4, 5], endOfMessage: true)
        function.write([6])
        function.write([7], endOfMessage: true)
        for id in 1...4 { host.port.submit(.in(TransferID(id), 1, length: 64)) }
        #expect(host.completions.filter { $0.endpoint.number == 1 }.map(\.data) == [[1, 2, 3], [4, 5], [6, 7]])
    }

    @Test func aMessageThatFillsItsTransferEndsWithAZeroLengthPacket() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: 1024), endOfMessage: true)
        function.write([2])
        for id in 1...3 { host.port.submit(.in(TransferID(id), 1, length: 1024)) }
        #expect(host.transfers == ["1 ok 1024", "2 ok 0", "3 ok 1"])
    }

    @Test func aMessageCutOverTransfersEndsOnceOnly() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: 1000), endOfMessage: true)
        function.write([2], endOfMessage: true)
        for id in 1...3 { host.port.submit(.in(TransferID(id), 1, length: 512)) }
        #expect(host.transfers == ["1 ok 512", "2 ok 488", "3 ok 1"])
    }

    @Test(arguments: [(512, 600), (300, 300), (1024, 2048)])
    func noZeroLengthPacketWhereTheHostSeesTheEndAnyway(message: Int, length: Int) throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: message), endOfMessage: true)
        host.port.submit(.in(1, 1, length: length))
        host.port.submit(.in(2, 1, length: length))
        #expect(host.transfers == ["1 ok \(message)"])
    }

    @Test func aStreamThatRunsDryOnAFullTransferIsEndedByAZeroLengthPacket() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: 512))
        host.port.submit(.in(1, 1, length: 512))
        #expect(host.transfers == ["1 ok 512"])
        host.port.submit(.in(2, 1, length: 512))
        host.port.submit(.in(3, 1, length: 512))
        #expect(host.transfers == ["1 ok 512", "2 ok 0"])
        function.write([], endOfMessage: false)
        #expect(host.transfers == ["1 ok 512", "2 ok 0"])
    }

    @Test func aStreamThatGoesOnInTimeHasNoZeroLengthPacket() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: 512))
        host.port.submit(.in(1, 1, length: 512))
        function.write([2])
        host.port.submit(.in(2, 1, length: 512))
        #expect(host.transfers == ["1 ok 512", "2 ok 1"])
    }

    @Test func anEndMarkAfterFullStreamDataEndsTheMessage() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: 512))
        function.write([], endOfMessage: true)
        host.port.submit(.in(1, 1, length: 512))
        host.port.submit(.in(2, 1, length: 512))
        host.port.submit(.in(3, 1, length: 512))
        #expect(host.transfers == ["1 ok 512", "2 ok 0"])
    }

    @Test func interruptMessagesHaveNoZeroLengthPackets() throws {
        let function = TestFunction.network("n")
        let host = try TestHost([function])
        function.write([UInt8](repeating: 1, count: 16), endOfMessage: true, to: "notify")
        host.port.submit(.in(1, 1, length: 16))
        host.port.submit(.in(2, 1, length: 16))
        #expect(host.transfers == ["1 ok 16"])
    }

    @Test func shortNotOKMarksAShortTransferOnly() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 4, flags: .shortNotOK))
        host.port.submit(.in(2, 1, length: 4, flags: .shortNotOK))
        function.write([1, 2, 3, 4, 5])
        #expect(host.transfers == ["1 ok 4", "2 short 1"])
    }

    @Test func aTransferOfNoLengthTakesNothing() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([1, 2])
        host.port.submit(.in(1, 1, length: 0))
        host.port.submit(.in(2, 1, length: 2))
        #expect(host.transfers == ["1 ok 0", "2 ok 2"])
    }

    @Test func outTransfersWaitUntilTheFunctionTakesThem() throws {
        let function = TestFunction.pipe("a")
        function.onReady = { _, _ in }
        let host = try TestHost([function])
        host.port.submit(.out(1, 1, data: [1]))
        host.port.submit(.out(2, 1, data: [2, 2]))
        #expect(host.transfers == [])
        #expect(host.device.endpointSummaries(of: "a").map(\.pending) == [2, 0])
        function.drain()
        #expect(function.received == [[1], [2, 2]])
        #expect(host.transfers == ["1 ok 1", "2 ok 2"])
    }

    @Test func aFunctionThatTakesOneTransferACallIsAskedForAll() throws {
        let function = TestFunction.pipe("a")
        var open = false
        var taken: [[UInt8]] = []
        function.onReady = { function, _ in
            if open, let bytes = function.context?.read("out") { taken.append(bytes) }
        }
        let host = try TestHost([function])
        host.port.submit(.out(1, 1, data: [1]))
        host.port.submit(.out(2, 1, data: [2]))
        open = true
        host.port.submit(.out(3, 1, data: [3]))
        #expect(taken == [[1], [2], [3]])
    }

    @Test func outBytesKeepTheirOrderWhenCompletionsSubmitTheNext() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        var next: UInt8 = 3
        host.onCompletion = { completion in
            guard completion.endpoint.number == 1, next < 50 else { return }
            next += 1
            // The id of the transfer that has just ended may be used again.
            host.port.submit(.out(completion.id, 1, data: [next]))
        }
        host.port.submit(.out(1, 1, data: [1]))
        #expect(function.received == [[1]] + (4...50).map { [UInt8($0)] })
    }

    @Test func outBytesKeepTheirOrderWhenTheFunctionReadsLate() throws {
        let function = TestFunction.pipe("a")
        var open = false
        function.onReady = { function, _ in if open { function.drain() } }
        let host = try TestHost([function])
        host.port.submit(.out(1, 1, data: [1]))
        host.port.submit(.out(2, 1, data: [2]))
        var more = true
        host.onCompletion = { _ in
            if more {
                more = false
                host.port.submit(.out(3, 1, data: [3]))
            }
        }
        open = true
        function.drain()
        #expect(function.received == [[1], [2], [3]])
    }

    @Test func inBytesKeepTheirOrderWhenCompletionsSubmitTheNext() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        host.onCompletion = { completion in
            if completion.endpoint.number == 1, completion.status == .success {
                host.port.submit(.in(completion.id + 1, 1, length: 10))
            }
        }
        host.port.submit(.in(1, 1, length: 10))
        function.write(Array(0..<100))
        #expect(host.completions.filter { $0.endpoint.number == 1 }.flatMap(\.data) == Array(0..<100))
    }

    @Test func aFunctionMayWriteWhenItsDataHasGone() throws {
        let function = TestFunction.pipe("a")
        var left = 3
        function.onReady = { function, endpoint in
            if endpoint == "in", left > 0 {
                left -= 1
                function.write([UInt8(left)], endOfMessage: true)
            }
        }
        let host = try TestHost([function])
        for id in 1...4 { host.port.submit(.in(TransferID(id), 1, length: 8)) }
        function.write([9], endOfMessage: true)
        #expect(host.completions.filter { $0.endpoint.number == 1 }.map(\.data) == [[9], [2], [1], [0]])
    }

    @Test func haltStallsWhatWaitsAndWhatComes() throws {
        let function = TestFunction.pipe("a")
        function.onReady = { _, _ in }
        let host = try TestHost([function])
        host.port.submit(.out(1, 1, data: [1]))
        host.port.submit(.out(2, 1, data: [2]))
        function.context?.halt("out")
        host.port.submit(.out(3, 1, data: [3]))
        #expect(host.transfers == ["1 stall 0", "2 stall 0", "3 stall 0"])
        #expect(function.context?.read("out") == nil)
        #expect(host.request(.out, .standard, .endpoint, 1, index: 1).status == .success)
        host.port.submit(.out(4, 1, data: [4]))
        function.drain()
        #expect(function.received == [[4]])
    }

    @Test func writtenWhileHaltedLeavesAfterTheHalt() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([1])
        function.context?.halt("in")
        function.write([2])
        host.port.submit(.in(1, 1, length: 8))
        #expect(host.request(.out, .standard, .endpoint, 1, index: 0x81).status == .success)
        host.port.submit(.in(2, 1, length: 8))
        #expect(host.completions.last?.data == [2])
        #expect(host.transfers == ["1 stall 0", "2 ok 1"])
    }

    @Test func discardForgetsBytes() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([1, 2])
        function.context?.discard("in")
        function.write([3])
        host.port.submit(.in(1, 1, length: 8))
        #expect(host.completions.last?.data == [3])
    }

    @Test func bytesOfOneConfigurationDoNotReachTheNext() throws {
        let function = TestFunction.pipe("a")
        let host = try TestHost([function])
        function.write([1, 2])
        host.configure()
        host.port.submit(.in(1, 1, length: 8))
        #expect(host.transfers == [])
        host.port.busReset()
        function.write([5])
        #expect(function.context?.queuedBytes("in") == 0)
    }

    @Test func aFunctionThatIsLeftLearnsWhatWasNotTakenAndMovesNothing() throws {
        let function = TestFunction.pipe("a")
        function.onReady = { _, _ in }
        var left = 0
        function.onDeactivate = { function in
            left = function.context?.queuedBytes("in") ?? -1
            function.write([1])
            function.drain()
            function.context?.halt("out")
        }
        let host = try TestHost([function])
        function.write([1, 2, 3])
        host.port.submit(.out(1, 1, data: [1]))
        host.configure(0)
        #expect(left == 3)
        #expect(function.received == [])
        #expect(host.transfers == ["1 cancelled 0"])
    }

    @Test func wrongDirectionsAndNamesAreIgnored() throws {
        let function = TestFunction.pipe("a")
        function.onReady = { _, _ in }
        let host = try TestHost([function])
        function.write([1], to: "out")
        function.write([1], to: "nothing")
        host.port.submit(.in(1, 1, length: 8))
        host.port.submit(.out(2, 1, data: [1]))
        #expect(function.context?.read("in") == nil)
        #expect(host.transfers == [])
    }

    @Test func isochronousTransfersAreRefusedNotParked() throws {
        let function = TestFunction("iso") { _ in
            FunctionDeclaration(
                classCode: ClassCode(1, 2, 0),
                interfaces: [
                    InterfaceDeclaration(
                        classCode: ClassCode(1, 2, 0),
                        endpoints: [EndpointDeclaration("in", .in, .isochronous, maxPacketSize: 192)])
                ])
        }
        let host = try TestHost([function])
        host.port.submit(.in(1, 1, length: 192, packets: [IsochronousPacket(offset: 0, length: 192)]))
        #expect(host.transfers == ["1 error 0"])
    }
}
