import CTerminal
import Console
import Foundation

extension Screen {
    /// Seconds between frames that new data asks for, and between frames that keys ask for: a person is never faster.
    static let dataFrameInterval = 0.1
    static let keyFrameInterval = 0.033
    /// Seconds after which the end of a paste is not waited for any longer.
    static let pasteTimeout = 0.5

    /// Serves the application until it, a signal or the terminal ends it. Sleeps while there is nothing to do.
    public func run(_ application: some ScreenApplication) -> ScreenExit {
        let signals = ct_signal_descriptor()
        defer { if signals >= 0 { _ = Glibc.close(signals) } }
        application.resized(columns: columns, rows: rows)
        var lastFrame = -1.0
        var keyPending = false
        while true {
            ScreenExecutor.shared.runJobs()
            if let end { return end }
            let now = monotonicSeconds()
            if let tick = application.nextTick, now >= tick { application.tick() }
            if application.isDirty || shown == nil {
                let interval = keyPending ? Self.keyFrameInterval : Self.dataFrameInterval
                if now - lastFrame >= interval {
                    present(application.draw())
                    lastFrame = now
                    keyPending = false
                }
            }
            if let end { return end }
            let wait = waitTime(application, lastFrame: lastFrame, keyPending: keyPending)
            var descriptors = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ScreenExecutor.shared.wakeDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&descriptors, 3, wait)
            guard ready >= 0 || errno == EINTR else { return .inputGone }
            if descriptors[1].revents != 0 { takeSignals(signals, application) }
            if descriptors[0].revents != 0 {
                keyPending = true
                takeKeys(application, revents: descriptors[0].revents)
            } else if ready == 0, decoder.isPasting {
                decoder.abandonPaste().forEach(application.take)
            }
        }
    }

    /// Milliseconds for poll: until the next tick, the next frame or the end of patience with a paste; -1 for ever.
    private func waitTime(_ application: some ScreenApplication, lastFrame: Double, keyPending: Bool) -> Int32 {
        let now = monotonicSeconds()
        var wait: Double?
        func sooner(_ seconds: Double) { wait = min(wait ?? seconds, seconds) }
        if let tick = application.nextTick { sooner(tick - now) }
        if application.isDirty || shown == nil {
            sooner(lastFrame + (keyPending ? Self.keyFrameInterval : Self.dataFrameInterval) - now)
        }
        if decoder.isPasting { sooner(Self.pasteTimeout) }
        guard let wait else { return -1 }
        return Int32((min(max(wait, 0), 3600) * 1000).rounded(.up))
    }

    private func takeSignals(_ descriptor: Int32, _ application: some ScreenApplication) {
        while true {
            let signal = ct_read_signal(descriptor)
            switch signal {
            case 0:
                return
            case SIGWINCH:
                if takeSize() { application.resized(columns: columns, rows: rows) }
            case SIGTSTP:
                suspend()
                application.resized(columns: columns, rows: rows)
            case SIGCONT:
                if expectsContinue {
                    expectsContinue = false
                } else {
                    // Stopped from outside: whoever had the terminal since then may have changed it.
                    ct_leave()
                    retake()
                    application.resized(columns: columns, rows: rows)
                }
            default:
                end = .signal(signal)
                return
            }
        }
    }

    private func takeKeys(_ application: some ScreenApplication, revents: Int16) {
        // A hang-up wins over what is left to read: nobody can see what it would do.
        guard revents & Int16(POLLHUP | POLLERR | POLLNVAL) == 0 else {
            end = .inputGone
            return
        }
        // Readable without a byte is the end of input; without this the loop would spin on it.
        guard ct_stdin_available() > 0 else {
            end = .inputGone
            return
        }
        var keys: [Key] = []
        while let input = readInput() { keys += decoder.take(input) }
        keys += decoder.endOfBurst()
        for key in keys where end == nil {
            if key == .control("\\") { end = .signal(SIGQUIT) } else { application.take(key) }
        }
    }

    private func readInput() -> RawInput? {
        while true {
            var value: UInt32 = 0
            switch ct_read_key(&value) {
            case CT_INPUT_CHARACTER: return .character(value)
            case CT_INPUT_KEY where Int32(bitPattern: value) == KEY_MOUSE:
                var event = MEVENT()
                guard getmouse(&event) == OK else { continue }
                return .mouse(column: event.x, row: event.y, buttons: UInt32(truncatingIfNeeded: event.bstate))
            // The size is asked for on SIGWINCH; this is ncurses' echo of it.
            case CT_INPUT_KEY where Int32(bitPattern: value) == KEY_RESIZE: continue
            case CT_INPUT_KEY: return .key(Int32(bitPattern: value))
            default: return nil
            }
        }
    }
}

/// Seconds of the monotonic clock.
public func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
