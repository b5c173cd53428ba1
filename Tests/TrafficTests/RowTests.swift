import ControlProtocol
import Testing
import USBCore

@testable import Traffic

@Suite struct RowTests {
    @Test func aRowSaysWhenHowLongAndWhat() {
        let clock = ManualClock()
        let recorder = makeRecorder(clock)
        recorder.submitted(.in(7, 1, length: 512))
        clock.nanoseconds += 1_500
        recorder.completed(
            TransferCompletion(id: 7, endpoint: address(0x81), status: .success, data: [0x41, 0x42]))
        #expect(
            recorder.view(after: 0).transfers == [
                TransferRow(
                    sequence: 1, time: 1010, latency: 1.5, endpoint: 0x81, type: "bulk", interface: "serial",
                    length: 512, actual: 2, status: "ok", head: [0x41, 0x42])
            ])
    }

    @Test func anOutRowKeepsThePayloadOfItsSubmission() {
        let recorder = makeRecorder()
        recorder.pass(1, 0x01, Array(0..<100))
        let row = recorder.view(after: 0).transfers[0]
        #expect(row.head == Array(0..<64))
        #expect(row.length == 100)
        #expect(row.actual == 100)
    }

    @Test func aControlRowKeepsItsSetupAndTheInterfaceItNames() {
        let recorder = makeRecorder()
        let setup = SetupPacket(
            requestType: RequestType(.in, .class, .interface), request: 0x21, index: 1, length: 7)
        recorder.control(1, setup, [0, 0xC2, 1, 0, 0, 0, 8])
        let row = recorder.view(after: 0).transfers[0]
        #expect(row.setup == setup.bytes)
        #expect(row.interface == "serial")
        #expect(row.type == "control")
        #expect(row.endpoint == 0x80)
        #expect(row.length == 7)
    }

    @Test func aRequestToAnEndpointNamesItsOwner() {
        let recorder = makeRecorder()
        let clearHalt = SetupPacket(
            requestType: RequestType(.out, .standard, .endpoint), request: 1, index: 0x83)
        recorder.control(1, clearHalt)
        recorder.control(2, SetupPacket(requestType: RequestType(.in, .standard, .device), request: 0, length: 2))
        let rows = recorder.view(after: 0).transfers
        #expect(rows.map(\.interface) == ["web", nil])
        #expect(rows.map(\.type) == ["control", "control"])
    }

    @Test func aSelectorShowsOneInterfaceOnly() {
        let recorder = makeRecorder()
        recorder.pass(1, 0x81, [1])
        recorder.pass(2, 0x83, [2])
        recorder.pass(3, 0x01, [3])
        let view = recorder.view(selector: "serial", after: 0)
        #expect(view.transfers.map(\.sequence) == [1, 3])
        #expect(view.interface == "serial")
        #expect(view.counters == recorder.counters(interface: "serial"))
        #expect(view.ringCount == 3)
        #expect(recorder.view(selector: "nobody", after: 0).transfers.isEmpty)
    }

    @Test func aViewGivesTheNewestRowsAfterASequence() {
        let recorder = makeRecorder()
        for id in 1...10 { recorder.pass(TransferID(id), 0x81, [UInt8(id)]) }
        #expect(recorder.view(after: 7).transfers.map(\.sequence) == [8, 9, 10])
        #expect(recorder.view(after: 0, limit: 2).transfers.map(\.sequence) == [9, 10])
        #expect(recorder.view(after: 10).transfers.isEmpty)
        #expect(recorder.view(after: .max).transfers.isEmpty)
        #expect(recorder.view(after: 0, limit: -1).transfers.isEmpty)
        #expect(recorder.lastSequence == 10)
    }

    @Test func aFullRingDropsTheOldestAndSaysSo() {
        let recorder = makeRecorder(limits: TrafficLimits(rows: 50))
        for id in 1...173 { recorder.pass(TransferID(id), 0x81, [UInt8(id)]) }
        let view = recorder.view(after: 0, limit: 1000)
        #expect(view.ringCount == 50)
        #expect(view.ringDropped == 123)
        #expect(view.transfers.map(\.sequence) == Array(124...173))
        #expect(view.transfers.map(\.head) == (124...173).map { [UInt8($0)] })
    }

    @Test func aRefusedTransferDoesNotTouchTheOneWhoseIdItTook() {
        let clock = ManualClock()
        let recorder = makeRecorder(clock)
        recorder.submitted(.in(5, 1, length: 100))
        clock.advance(milliseconds: 1)
        // The port completes the second of two equal ids at once.
        recorder.submitted(.out(5, 2, data: [1, 2, 3]))
        recorder.completed(TransferCompletion(id: 5, endpoint: address(0x02), status: .error))
        clock.advance(milliseconds: 1)
        recorder.completed(TransferCompletion(id: 5, endpoint: address(0x81), status: .success, data: [9]))
        let rows = recorder.view(after: 0).transfers
        #expect(rows.map(\.length) == [3, 100])
        #expect(rows.map(\.latency) == [0, 2000])
        #expect(rows.map(\.status) == ["error", "ok"])
        #expect(recorder.pendingCount == 0)
    }

    @Test func aCompletionWithoutSubmissionStillMakesARow() {
        let recorder = makeRecorder()
        recorder.completed(TransferCompletion(id: 1, endpoint: address(0x81), status: .success, data: [1]))
        let row = recorder.view(after: 0).transfers[0]
        #expect(row.latency == 0)
        #expect(row.actual == 1)
    }

    @Test func oldRowsKeepTheNameTheyHad() {
        let recorder = makeRecorder()
        recorder.pass(1, 0x81, [1])
        recorder.assign(endpoint: address(0x81), interface: "web", type: .interrupt, classCode: nil)
        recorder.pass(2, 0x81, [1])
        let rows = recorder.view(after: 0).transfers
        #expect(rows.map(\.interface) == ["serial", "web"])
        #expect(rows.map(\.type) == ["bulk", "interrupt"])
    }

    @Test func textIsMadeForRowsThatAreReadOnly() {
        final class Counting: TransferDecoder {
            var asked: [TransferSummary] = []
            func line(for transfer: TransferSummary) -> String {
                asked.append(transfer)
                return "\(transfer.actual) bytes"
            }
        }
        let decoder = Counting()
        let recorder = makeRecorder(decoder: decoder)
        for id in 1...100 { recorder.pass(TransferID(id), 0x81, [1, 2]) }
        #expect(decoder.asked.isEmpty)
        #expect(recorder.view(after: 0, limit: 3).transfers.map(\.decode) == ["2 bytes", "2 bytes", "2 bytes"])
        #expect(decoder.asked.count == 3)
        #expect(decoder.asked[0].classCode == .init(10, 0, 0))
        #expect(decoder.asked[0].interface == "serial")
    }

    @Test func anObserverGetsEverythingWholeUntilRemoved() {
        final class Capture: TransferObserver {
            var events: [String] = []
            func submitted(_ transfer: Transfer, type: TransferType, at time: UInt64) {
                events.append("S \(transfer.id) \(type.name) \(transfer.data.count) \(time)")
            }
            func completed(_ completion: TransferCompletion, type: TransferType, at time: UInt64) {
                events.append("C \(completion.id) \(type.name) \(completion.data.count) \(time)")
            }
        }
        let clock = ManualClock()
        clock.nanoseconds = 5
        let recorder = makeRecorder(clock)
        let capture = Capture()
        recorder.addObserver(capture)
        recorder.pass(1, 0x01, [UInt8](repeating: 1, count: 1000))
        recorder.pass(2, 0x81, [UInt8](repeating: 1, count: 300))
        recorder.removeObserver(capture)
        recorder.pass(3, 0x81)
        #expect(capture.events == ["S 1 bulk 1000 5", "C 1 bulk 0 5", "S 2 bulk 0 5", "C 2 bulk 300 5"])
    }
}
