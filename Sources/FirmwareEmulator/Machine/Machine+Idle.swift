/// Watching firmware come round its main loop.
extension Machine {
    /// Runs jump by jump, with all stores seen, until the loop is known to be idle or the attempt is given up.
    func observe(until limit: UInt64) {
        let start = clock.settled
        let end = min(limit, start &+ IdleDetector.attemptCycles)
        guard !isPrecise, debug.isInactive else { return runExecutor(until: end) }
        guard idle.begin(at: start, anchor: programCounter, state: loopState) else {
            return runExecutor(until: min(limit, idle.nextProbe))
        }
        memory.closeForWriting()
        state.pointee.windows = memory.closedWindows
        var isProven = false
        var didLeave = false
        while clock.settled < end, !idle.isHopeless, !didLeave {
            runExecutor(until: clock.settled)
            didLeave =
                pendingJump != nil || pendingFault != nil || isWaiting || itState != 0 || needsForget || wantsReset
                || wantsStop || interruptsChanged && controller.highestPending() != nil || debug.touched != nil
            if let jump = pendingJump, pendingFault == nil, !(isHandler && jump >> 28 == 0xF) {
                // A jump between regions is no reason to stop.
                pendingJump = nil
                takeJump(jump)
                didLeave = pendingFault != nil || lockup != nil || isWaiting || itState != 0 || needsForget
            }
            if !didLeave, idle.isAnchor(programCounter), idle.isUnchanged(loopState) {
                isProven = true
                break
            }
        }
        state.pointee.windows = memory.windows
        idle.end(isProven: isProven, at: clock.settled)
    }

    /// All that decides what firmware does next, except memory.
    private var loopState: [UInt32] {
        var words = (0..<15).map { registers[$0] }
        words += [state.flagBits, ipsr, primask, faultmask, basepri, control, otherStackPointer, eventRegister ? 1 : 0]
        words += controller.enabled.words
        if model.hasFPU {
            words += (0..<32).map { floats[$0] }
            words.append(fpscr)
        }
        return words
    }
}
