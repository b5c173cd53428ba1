/// Watching firmware come round its main loop.
extension Machine {
    /// Runs jump by jump, with all stores seen, until the loop is known to be idle or the attempt is given up.
    func observe(until limit: UInt64) {
        let start = clock.settled
        let end = min(limit, start &+ IdleDetector.attemptCycles)
        guard !isPrecise, debug.isInactive else { return runExecutor(until: end) }
        guard idle.begin(at: start, anchor: programCounter, fill: appendLoopState) else {
            return runExecutor(until: min(limit, idle.nextProbe))
        }
        memory.closeForWriting()
        state.pointee.windows = memory.closedWindows
        var isProven = false
        var didLeave = false
        // The place where the attempt began need not be in the loop: others are tried, each for twice as long (Brent).
        var jumps = 0
        var patience = 16
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
            if !didLeave, idle.isAnchor(programCounter), idle.isUnchanged(isState: isLoopState) {
                isProven = true
                break
            }
            jumps += 1
            if jumps == patience, !didLeave {
                jumps = 0
                patience *= 2
                idle.setAnchor(programCounter, fill: appendLoopState)
            }
        }
        state.pointee.windows = memory.windows
        idle.end(proof: isProven ? outside : nil, at: clock.settled)
    }

    /// What a proven loop has no part in and events change.
    var outside: IdleDetector.Outside {
        .init(pending: controller.pending, eventRegister: eventRegister, memoryWrites: memory.outsideWrites)
    }

    /// All that decides what firmware does next, except memory.
    private func appendLoopState(_ words: inout [UInt32]) {
        for index in 0..<15 { words.append(registers[index]) }
        words.append(state.flagBits)
        words.append(ipsr)
        words.append(primask)
        words.append(faultmask)
        words.append(basepri)
        words.append(control)
        words.append(otherStackPointer)
        words.append(eventRegister ? 1 : 0)
        for index in 0..<8 { words.append(controller.enabled.words[index]) }
        for peripheral in loopPeripherals { words += peripheral.loopState }
        guard model.hasFPU else { return }
        for index in 0..<32 { words.append(floats[index]) }
        words.append(fpscr)
    }

    private func isLoopState(_ words: [UInt32]) -> Bool {
        // Most rounds of a loop that works differ in their registers.
        for index in 0..<15 where registers[index] != words[index] { return false }
        loopState.removeAll(keepingCapacity: true)
        appendLoopState(&loopState)
        return loopState == words
    }
}
