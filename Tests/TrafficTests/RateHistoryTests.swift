import ControlProtocol
import Testing
import USBCore

@testable import Traffic

@Suite struct RateHistoryTests {
    private func sample(in bytesIn: UInt64 = 0, out bytesOut: UInt64 = 0, _ transfers: UInt32 = 0) -> RateSample {
        RateSample(bytesIn: bytesIn, bytesOut: bytesOut, transfers: transfers)
    }

    @Test func aSlotShowsOnceItIsOver() {
        let clock = ManualClock()
        let recorder = makeRecorder(clock)
        recorder.pass(1, 0x81, [1, 2])
        clock.advance(milliseconds: 499)
        recorder.pass(2, 0x02, [1])
        #expect(recorder.view(after: 0).samples == [])
        clock.advance(milliseconds: 1)
        #expect(recorder.view(after: 0).samples == [sample(in: 2, out: 1, 2)])
        #expect(recorder.view(selector: "serial", after: 0).samples == [sample(in: 2, 1)])
        #expect(recorder.view(selector: "web", after: 0).samples == [sample(out: 1, 1)])
    }

    @Test func aGapIsZeros() {
        let clock = ManualClock()
        let recorder = makeRecorder(clock)
        recorder.pass(1, 0x81, [1])
        clock.advance(milliseconds: 2000)
        recorder.pass(2, 0x81, [1, 2])
        clock.advance(milliseconds: 600)
        #expect(
            recorder.view(after: 0).samples == [sample(in: 1, 1), sample(), sample(), sample(), sample(in: 2, 1)])
    }

    @Test func twoMinutesAreKept() {
        let clock = ManualClock()
        let recorder = makeRecorder(clock)
        for slot in 1...1000 {
            recorder.pass(TransferID(slot), 0x81, [UInt8](repeating: 0, count: slot))
            clock.advance(milliseconds: 500)
        }
        #expect(recorder.view(after: 0).samples == (761...1000).map { sample(in: UInt64($0), 1) })
    }

    @Test func afterALongSilenceAllIsZero() {
        var history = RateHistory()
        history.record(.in, bytes: 5, at: 0)
        let years: UInt64 = 10 * 365 * 86400 * 1_000_000_000
        let silence = history.samples(at: years)
        #expect(silence == [RateSample](repeating: sample(), count: 240))
        history.record(.out, bytes: 7, at: years)
        let after = history.samples(at: years + 500_000_000)
        #expect(after.last == sample(out: 7, 1))
    }

    @Test func aClockThatGoesBackStaysInItsSlot() {
        var history = RateHistory()
        history.record(.in, bytes: 1, at: 5_000_000_000)
        history.record(.in, bytes: 2, at: 1_000_000_000)
        let samples = history.samples(at: 5_500_000_000)
        #expect(samples == [sample(in: 3, 2)])
        history.record(.in, bytes: 1, at: .max)
        let atTheEnd = history.samples(at: .max)
        #expect(atTheEnd.count == 240)
    }

    @Test func whatNeverMovedHasNoSamplesAndNoMemory() {
        let clock = ManualClock()
        let recorder = makeRecorder(clock)
        clock.advance(milliseconds: 60_000)
        #expect(recorder.view(selector: "serial", after: 0).samples == [])
        #expect(recorder.total.rates.allocatedBytes == 0)
    }
}
