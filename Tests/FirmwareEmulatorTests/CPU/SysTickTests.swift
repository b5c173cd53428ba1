import Testing

@testable import FirmwareEmulator

@Suite struct SysTickTests {
    let clock = VirtualClock(hertz: 8_000_000)

    /// Runs events at their times.
    private func advance(_ cycles: UInt64) {
        let end = clock.settled + cycles
        while clock.nextDue <= end {
            clock.settled = max(clock.settled, clock.nextDue)
            _ = clock.fireDue()
        }
        clock.settled = end
    }

    @Test func countsDownAndWrapsEachPeriod() {
        var wraps = 0
        let tick = SysTick(clock: clock) { wraps += 1 }
        tick.write(reload: 999)
        tick.clearValue()
        tick.write(control: 7)
        #expect(tick.value == 0)
        advance(1)
        #expect(tick.value == 999)
        advance(998)
        #expect(tick.value == 1 && wraps == 0)
        advance(1)
        #expect(tick.value == 0 && wraps == 1)
        advance(3000)
        #expect(wraps == 4)
    }

    /// RVR counts from the next 0 on: with 0 in it the countdown under way is the last (ARMv7-M ARM B3.3.1).
    @Test func aReloadOfZeroLetsTheCountdownEndOnce() {
        var wraps = 0
        let tick = SysTick(clock: clock) { wraps += 1 }
        tick.write(control: 7)
        tick.write(reload: 72_000)
        tick.clearValue()
        tick.write(reload: 0)
        advance(1)
        #expect(tick.value == 72_000)
        advance(72_000)
        #expect(wraps == 1 && tick.value == 0)
        advance(500_000)
        #expect(wraps == 1 && tick.value == 0)
        // And again.
        tick.write(reload: 100)
        tick.clearValue()
        tick.write(reload: 0)
        advance(200)
        #expect(wraps == 2)
    }

    @Test func aNewReloadCountsFromTheNextWrapOn() {
        var wraps = 0
        let tick = SysTick(clock: clock) { wraps += 1 }
        tick.write(reload: 999)
        tick.write(control: 7)
        advance(500)
        tick.write(reload: 99)
        #expect(tick.value == 500)
        advance(500)
        #expect(wraps == 1)
        advance(100)
        #expect(wraps == 2)
    }

    @Test func aDisabledCounterKeepsItsValue() {
        let tick = SysTick(clock: clock) {}
        tick.write(reload: 999)
        tick.write(control: 5)
        advance(400)
        tick.write(control: 4)
        let kept = tick.value
        #expect(kept == 600)
        advance(400)
        #expect(tick.value == kept)
        tick.write(control: 5)
        advance(100)
        #expect(tick.value == kept - 100)
    }
}
