/// The nine instructions (RP2040 datasheet 3.4).
extension ProgrammableIO {
    /// Executes one instruction of a state machine, or finds that it must wait.
    func execute(_ number: Int) {
        let isForced = machines[number].forced != nil
        let instruction = UInt32(machines[number].forced ?? program[Int(machines[number].counter)])
        let sideBits = machines[number].pins >> 29
        let isOptional = machines[number].execution & 1 << 30 != 0
        let field = instruction >> 8 & 0x1F
        let delay = sideBits >= 5 ? 0 : field & (1 << (5 - sideBits) - 1)
        if isForced { machines[number].forced = nil }
        let counter = machines[number].counter
        let isDone = perform(instruction, number)
        // Also of an instruction that waits, and before SET and OUT where both have a pin (3.5.6).
        if sideBits > 0, !isOptional || field & 0x10 != 0 {
            let count = isOptional ? sideBits - 1 : sideBits
            let value = field >> (5 - sideBits) & (1 << count - 1)
            let isDirection = machines[number].execution & 1 << 29 != 0
            setPins(value, base: machines[number].pins >> 10 & 0x1F, count: count, isDirection: isDirection)
        }
        guard isDone else {
            machines[number].isBlocked = true
            if isForced { machines[number].forced = UInt16(truncatingIfNeeded: instruction) }
            return
        }
        if !isForced, !hasJumped { machines[number].advance() }
        if isForced, !hasJumped { machines[number].counter = counter }
        hasJumped = false
        machines[number].due += machines[number].period * UInt64(1 + delay)
    }

    /// - Returns: false when it must wait; then nothing but the side-set has happened.
    private func perform(_ instruction: UInt32, _ number: Int) -> Bool {
        let argument = instruction >> 5 & 7, low = instruction & 0x1F
        switch instruction >> 13 {
        case 0: jump(argument, to: low, number)
        case 1: return wait(instruction, number)
        case 2: return shiftIn(argument, low == 0 ? 32 : low, number)
        case 3: return shiftOut(argument, low == 0 ? 32 : low, number)
        case 4: return instruction & 0x80 == 0 ? push(instruction, number) : pull(instruction, number)
        case 5: move(argument, operation: low >> 3, from: low & 7, number)
        case 6: return interrupt(instruction, number)
        default: set(argument, low, number)
        }
        return true
    }

    private func jump(_ condition: UInt32, to address: UInt32, _ number: Int) {
        let isTaken: Bool
        switch condition {
        case 0: isTaken = true
        case 1: isTaken = machines[number].x == 0
        case 2:
            isTaken = machines[number].x != 0
            machines[number].x &-= 1
        case 3: isTaken = machines[number].y == 0
        case 4:
            isTaken = machines[number].y != 0
            machines[number].y &-= 1
        case 5: isTaken = machines[number].x != machines[number].y
        case 6: isTaken = levels() >> machines[number].jumpPin & 1 == 1
        default: isTaken = machines[number].outputCount < machines[number].pullThreshold
        }
        if isTaken { go(to: address, number) }
    }

    private func go(to address: UInt32, _ number: Int) {
        machines[number].counter = address & 0x1F
        hasJumped = true
    }

    private func flag(_ index: UInt32, _ number: Int) -> UInt32 {
        let place = index & 0x10 != 0 ? index & 4 | (index + UInt32(number)) & 3 : index & 7
        return 1 << place
    }

    private func wait(_ instruction: UInt32, _ number: Int) -> Bool {
        let isHigh = instruction & 0x80 != 0, index = instruction & 0x1F
        switch instruction >> 5 & 3 {
        case 0: return (levels() >> index & 1 == 1) == isHigh
        case 1: return (levels() >> ((index + machines[number].inputBase) & 0x1F) & 1 == 1) == isHigh
        case 2:
            let bit = flag(index, number)
            guard (flags & bit != 0) == isHigh else { return false }
            if isHigh { change { flags &= ~bit } }
            return true
        default: return true
        }
    }

    private func shiftIn(_ source: UInt32, _ count: UInt32, _ number: Int) -> Bool {
        let isDue =
            machines[number].pushesByItself
            && machines[number].inputCount + count >= machines[number].pushThreshold
        if isDue, machines[number].receive.count >= machines[number].receiveDepth {
            debug |= 1 << UInt32(number)
            return false
        }
        machines[number].shiftIn(value(source, number), count)
        if isDue { pushInput(number) }
        return true
    }

    private func shiftOut(_ destination: UInt32, _ count: UInt32, _ number: Int) -> Bool {
        if machines[number].pullsByItself, machines[number].outputCount >= machines[number].pullThreshold,
            !refill(number)
        {
            return false
        }
        let value = machines[number].shiftOut(count)
        switch destination {
        case 0, 4:
            let pins = machines[number].pins
            setPins(value, base: pins & 0x1F, count: pins >> 20 & 0x3F, isDirection: destination == 4)
        case 1: machines[number].x = value
        case 2: machines[number].y = value
        case 5: go(to: value, number)
        case 6:
            machines[number].input = value
            machines[number].inputCount = count
        case 7: machines[number].forced = UInt16(truncatingIfNeeded: value)
        default: break
        }
        if machines[number].pullsByItself, machines[number].outputCount >= machines[number].pullThreshold,
            !machines[number].transmit.isEmpty
        {
            _ = refill(number)
        }
        return true
    }

    private func push(_ instruction: UInt32, _ number: Int) -> Bool {
        if instruction & 0x40 != 0, machines[number].inputCount < machines[number].pushThreshold { return true }
        guard machines[number].receive.count < machines[number].receiveDepth else {
            debug |= 1 << UInt32(number)
            guard instruction & 0x20 == 0 else { return false }
            machines[number].input = 0
            machines[number].inputCount = 0
            return true
        }
        pushInput(number)
        return true
    }

    private func pushInput(_ number: Int) {
        change {
            machines[number].receive.append(machines[number].input)
            machines[number].input = 0
            machines[number].inputCount = 0
        }
        queuesChanged = true
    }

    private func pull(_ instruction: UInt32, _ number: Int) -> Bool {
        if instruction & 0x40 != 0, machines[number].outputCount < machines[number].pullThreshold { return true }
        // With automatic pull, what is full is not pulled again (3.4.7.2).
        if machines[number].pullsByItself, machines[number].outputCount == 0 { return true }
        if machines[number].transmit.isEmpty, instruction & 0x20 == 0 {
            machines[number].output = machines[number].x
            machines[number].outputCount = 0
            return true
        }
        return refill(number)
    }

    private func refill(_ number: Int) -> Bool {
        guard !machines[number].transmit.isEmpty else {
            debug |= 1 << UInt32(24 + number)
            return false
        }
        change {
            machines[number].output = machines[number].transmit.removeFirst()
            machines[number].outputCount = 0
        }
        queuesChanged = true
        return true
    }

    /// A source of IN and MOV, which differ in 5, STATUS.
    private func value(_ source: UInt32, _ number: Int) -> UInt32 {
        switch source {
        case 0:
            let base = machines[number].inputBase, levels = levels()
            return base == 0 ? levels : levels >> base | levels << (32 - base)
        case 1: return machines[number].x
        case 2: return machines[number].y
        case 5: return machines[number].status
        case 6: return machines[number].input
        case 7: return machines[number].output
        default: return 0
        }
    }

    private func move(_ destination: UInt32, operation: UInt32, from source: UInt32, _ number: Int) {
        var value = value(source, number)
        if operation == 1 { value = ~value }
        if operation == 2 { value = value.bitReversed }
        switch destination {
        case 0:
            let pins = machines[number].pins
            setPins(value, base: pins & 0x1F, count: pins >> 20 & 0x3F, isDirection: false)
        case 1: machines[number].x = value
        case 2: machines[number].y = value
        case 4: machines[number].forced = UInt16(truncatingIfNeeded: value)
        case 5: go(to: value, number)
        case 6:
            machines[number].input = value
            machines[number].inputCount = 0
        case 7:
            machines[number].output = value
            machines[number].outputCount = 0
        default: break
        }
    }

    private func interrupt(_ instruction: UInt32, _ number: Int) -> Bool {
        let bit = flag(instruction & 0x1F, number)
        if instruction & 0x40 != 0 {
            change { flags &= ~bit }
            return true
        }
        if machines[number].awaitsClear {
            guard flags & bit == 0 else { return false }
            machines[number].awaitsClear = false
            return true
        }
        change { flags |= bit }
        guard instruction & 0x20 != 0 else { return true }
        machines[number].awaitsClear = true
        return false
    }

    private func set(_ destination: UInt32, _ value: UInt32, _ number: Int) {
        let pins = machines[number].pins
        switch destination {
        case 0, 4:
            setPins(value, base: pins >> 5 & 0x1F, count: pins >> 26 & 7, isDirection: destination == 4)
        case 1: machines[number].x = value
        case 2: machines[number].y = value
        default: break
        }
    }

    /// Pins from `base` on, round at 32.
    private func setPins(_ value: UInt32, base: UInt32, count: UInt32, isDirection: Bool) {
        guard count > 0 else { return }
        let mask = count >= 32 ? UInt32.max : 1 << count - 1
        func rotated(_ bits: UInt32) -> UInt32 { base == 0 ? bits : bits << base | bits >> (32 - base) }
        let wanted = rotated(value & mask), place = rotated(mask)
        let old = isDirection ? padEnable : padOutput
        let new = old & ~place | wanted
        guard new != old else { return }
        change { if isDirection { padEnable = new } else { padOutput = new } }
        onPins(padOutput, padEnable)
    }
}

extension UInt32 {
    var bitReversed: UInt32 {
        var value = self
        value = value >> 1 & 0x5555_5555 | (value & 0x5555_5555) << 1
        value = value >> 2 & 0x3333_3333 | (value & 0x3333_3333) << 2
        value = value >> 4 & 0x0F0F_0F0F | (value & 0x0F0F_0F0F) << 4
        return value.byteSwapped
    }
}
