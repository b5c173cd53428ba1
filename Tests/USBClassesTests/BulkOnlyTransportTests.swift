import Testing

@testable import USBClasses

struct BulkOnlyTransportTests {
    private typealias Effect = BulkOnlyTransport.Effect

    private func command(_ length: UInt32, isIn: Bool = false) -> CommandBlockWrapper {
        CommandBlockWrapper(tag: 0x0102_0304, transferLength: length, isIn: isIn, commandBlock: [0x12, 0, 0])
    }

    private func status(_ residue: UInt32, _ status: CommandStatusWrapper.Status) -> Effect {
        .send(CommandStatusWrapper(tag: 0x0102_0304, residue: residue, status: status).bytes)
    }

    @Test func wrappersAreReadAsTheyAreWritten() {
        let wrapper = CommandBlockWrapper(
            tag: 7, transferLength: 512, isIn: true, lun: 1, commandBlock: [0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0])
        #expect(wrapper.bytes.count == 31)
        #expect(Array(wrapper.bytes.prefix(8)) == [0x55, 0x53, 0x42, 0x43, 7, 0, 0, 0])
        #expect(CommandBlockWrapper(bytes: wrapper.bytes) == wrapper)
        let status = CommandStatusWrapper(tag: 7, residue: 3, status: .failed)
        #expect(status.bytes == [0x55, 0x53, 0x42, 0x53, 7, 0, 0, 0, 3, 0, 0, 0, 1])
        #expect(CommandStatusWrapper(bytes: status.bytes) == status)
    }

    /// The thirteen cases of section 6.7: what the host expects, what the device means, and what comes of it.
    @Test func casesWithoutDataFromTheHost() {
        struct Case {
            var number: Int
            var expected: UInt32
            var intent: BulkOnlyTransport.Intent
            var outcome: BulkOnlyTransport.Outcome?
            var effects: [Effect]
        }
        let full = [UInt8](repeating: 5, count: 64)
        let cases = [
            Case(number: 1, expected: 0, intent: .none, outcome: .passed(), effects: [status(0, .passed)]),
            Case(number: 1, expected: 0, intent: .fail, outcome: .failed, effects: [status(0, .failed)]),
            Case(number: 2, expected: 0, intent: .send(64), outcome: nil, effects: [status(0, .phaseError)]),
            Case(number: 3, expected: 0, intent: .receive(64), outcome: nil, effects: [status(0, .phaseError)]),
            Case(number: 4, expected: 64, intent: .none, outcome: .passed(), effects: [.haltIn]),
            Case(number: 4, expected: 64, intent: .fail, outcome: .failed, effects: [.haltIn]),
            Case(number: 5, expected: 64, intent: .send(10), outcome: .passed([1, 2]), effects: [.send([1, 2])]),
            Case(
                number: 6, expected: 64, intent: .send(64), outcome: .passed(full),
                effects: [.send(full), status(0, .passed)]),
            Case(number: 7, expected: 64, intent: .send(65), outcome: nil, effects: [.haltIn]),
            Case(number: 8, expected: 64, intent: .receive(64), outcome: nil, effects: [.haltIn]),
        ]
        for item in cases {
            var transport = BulkOnlyTransport()
            let command = command(item.expected, isIn: item.expected > 0)
            var effects = transport.received(command.bytes) { _ in item.intent }
            if let outcome = item.outcome {
                #expect(effects == [.execute(command, data: [])], "case \(item.number)")
                effects = transport.finished(outcome)
            }
            #expect(effects == item.effects, "case \(item.number)")
        }
    }

    @Test func casesWithDataFromTheHost() {
        struct Case {
            var number: Int
            var intent: BulkOnlyTransport.Intent
            /// nil: it never gets as far.
            var kept: Int?
            var status: Effect
        }
        let cases = [
            Case(number: 9, intent: .none, kept: 0, status: status(100, .passed)),
            Case(number: 10, intent: .send(100), kept: nil, status: status(100, .phaseError)),
            Case(number: 11, intent: .receive(30), kept: 30, status: status(70, .passed)),
            Case(number: 12, intent: .receive(100), kept: 100, status: status(0, .passed)),
            Case(number: 13, intent: .receive(101), kept: nil, status: status(100, .phaseError)),
        ]
        let data = (0..<100).map { UInt8($0) }
        for item in cases {
            var transport = BulkOnlyTransport()
            let command = command(100)
            #expect(transport.received(command.bytes) { _ in item.intent }.isEmpty)
            #expect(transport.received(Array(data[..<64])) { _ in item.intent }.isEmpty)
            var effects = transport.received(Array(data[64...])) { _ in item.intent }
            if let kept = item.kept {
                #expect(effects == [.execute(command, data: Array(data[..<kept]))], "case \(item.number)")
                effects = transport.finished(.passed())
            }
            #expect(effects == [item.status], "case \(item.number)")
            #expect(transport.sent().isEmpty)
            #expect(transport.takesData)
        }
    }

    @Test func shortDataIsFollowedByAStallThenByTheStatus() {
        var transport = BulkOnlyTransport()
        _ = transport.received(command(64, isIn: true).bytes) { _ in .send(36) }
        #expect(!transport.takesData)
        #expect(transport.finished(.passed([1, 2, 3])) == [.send([1, 2, 3])])
        #expect(transport.sent() == [.haltIn])
        #expect(transport.isHalted)
        #expect(transport.haltCleared(isIn: false).isEmpty)
        #expect(transport.haltCleared(isIn: true) == [status(61, .passed)])
        #expect(transport.sent().isEmpty)
        #expect(transport.takesData)
    }

    @Test(arguments: [0, 4, 12, 13, 14])
    func whatIsNoCommandHaltsBothUntilReset(wrong index: Int) {
        var bytes = command(0).bytes
        bytes[index] = 0x7F
        if index == 4 { bytes.append(0) }
        var transport = BulkOnlyTransport()
        #expect(transport.received(bytes) { _ in .none } == [.haltIn, .haltOut])
        #expect(transport.haltCleared(isIn: true) == [.haltIn])
        #expect(transport.haltCleared(isIn: false) == [.haltOut])
        transport.reset()
        #expect(transport.haltCleared(isIn: true).isEmpty)
        #expect(!transport.received(command(0).bytes) { _ in .none }.isEmpty)
    }

    @Test func moreThanAnnouncedIsAPhaseErrorAndKeepsNothing() {
        var transport = BulkOnlyTransport()
        _ = transport.received(command(10).bytes) { _ in .receive(10) }
        let effects = transport.received([UInt8](repeating: 0, count: 11)) { _ in .none }
        #expect(effects == [status(10, .phaseError)])
    }

    @Test func anAnswerAfterAResetGoesNowhere() {
        var transport = BulkOnlyTransport()
        _ = transport.received(command(0).bytes) { _ in .none }
        transport.reset()
        #expect(transport.finished(.passed()).isEmpty)
    }
}
