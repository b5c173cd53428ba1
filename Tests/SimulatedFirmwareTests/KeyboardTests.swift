import NIOCore
import Synchronization
import Testing
import USBClasses
import USBCore
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(1)))
struct KeyboardTests {
    private func bench() async throws -> Bench {
        let bench = try await Bench { KeyboardFunction(name: "keys", layout: .us, eventLoop: $0) }
        try await bench.run { $0.guest.configure() }
        return bench
    }

    @Test func isABootKeyboardWithConsumerControls() async throws {
        let bench = try await bench()
        try await bench.run { state in
            let interfaces = try #require(state.guest.configuration?.interfaces)
            #expect(interfaces.map(\.interfaceClass) == [3, 3])
            #expect([interfaces[0].interfaceSubClass, interfaces[0].interfaceProtocol] == [1, 1])
            #expect(
                interfaces[0].classDescriptors == [
                    [9, 0x21, 0x11, 1, 0, 1, 0x22, UInt8(HID.keyboardReport.count), 0]
                ])
            #expect(state.guest.control(0x81, 6, value: 0x2200, length: 255)?.data == HID.keyboardReport)
            #expect(state.guest.control(0x81, 6, value: 0x2200, index: 1, length: 255)?.data == HID.consumerReport)
            #expect(state.guest.control(0x81, 6, value: 0x2100, length: 9)?.data.count == 9)
            #expect(state.guest.control(0x81, 6, value: 0x2300, length: 9)?.status == .stall)
            #expect(state.guest.control(0x81, 6, value: 0x2200, index: 2, length: 9)?.status == .stall)
        }
        try await bench.end()
    }

    @Test func answersClassRequests() async throws {
        let bench = try await bench()
        try await bench.run { state in
            let guest = state.guest
            #expect(guest.control(0xA1, 3, length: 1)?.data == [1])
            #expect(guest.control(0x21, 11, value: 0)?.status == .success)
            #expect(guest.control(0xA1, 3, length: 1)?.data == [0])
            #expect(guest.control(0x21, 11, value: 2)?.status == .stall)
            #expect(guest.control(0x21, 10, value: 0x7D00, index: 1)?.status == .success)
            #expect(guest.control(0xA1, 2, index: 1, length: 1)?.data == [0x7D])
            #expect(guest.control(0xA1, 2, length: 1)?.data == [0])
            #expect(guest.control(0x21, 9, value: 0x0200, data: [0x82])?.status == .success)
            #expect(guest.control(0x21, 9, value: 0x0200, data: [1, 1])?.status == .stall)
            #expect(guest.control(0x21, 9, value: 0x0200, index: 1, data: [1])?.status == .stall)
            #expect(guest.control(0xA1, 1, value: 0x0200, length: 1)?.data == [2])
            #expect(guest.control(0xA1, 1, value: 0x0100, length: 8)?.data == Keystroke.released)
        }
        try await bench.change("LEDs") { $0 == .note(interface: "keys", "LEDs: Caps Lock") }
        try await bench.end()
    }

    /// A guest that polls late and one report at a time gets all of them, in order.
    @Test func typesAtTheGuestsPace() async throws {
        let bench = try await bench()
        let text = "Hello, World~"
        let taken = Mutex<[[UInt8]]>([])
        try await bench.run { state in
            let keyboard = try #require(state.function as? KeyboardFunction)
            try keyboard.type(text)
            #expect(keyboard.waitingReports == 2 * text.count - 1)
            #expect(keyboard.backend == "layout us, typing")
        }
        for count in 1...2 * text.count {
            try await bench.run { state in
                let number = state.guest.number(.interrupt, .in)
                state.guest.submit({ .in($0, number, length: 8) }) { completion in
                    taken.withLock { $0.append(completion.data) }
                }
            }
            try await bench.until("report \(count)") { _ in taken.withLock { $0.count } == count }
        }
        #expect(taken.withLock { $0 } == (try Keystrokes(typing: text, layout: .us).reports))
        try await bench.end()
    }

    @Test func tellsWhenAllIsTakenOrNeverWillBe() async throws {
        let bench = try await bench()
        let answers = Mutex<[Bool]>([])
        try await bench.run { state in
            let keyboard = try #require(state.function as? KeyboardFunction)
            try keyboard.type("a") { isTaken in answers.withLock { $0.append(isTaken) } }
            let number = state.guest.number(.interrupt, .in)
            for _ in 0..<2 { state.guest.submit({ .in($0, number, length: 8) }) { _ in } }
        }
        try await bench.until("the first answer") { _ in !answers.withLock { $0.isEmpty } }
        #expect(answers.withLock { $0 } == [true])
        try await bench.run { state in
            let keyboard = try #require(state.function as? KeyboardFunction)
            try keyboard.type("bc") { isTaken in answers.withLock { $0.append(isTaken) } }
            try keyboard.press(try KeyChord(parsing: "f1")) { isTaken in answers.withLock { $0.append(isTaken) } }
            #expect(answers.withLock { $0.count } == 1)
            state.guest.configure(0)
        }
        #expect(answers.withLock { $0 } == [true, false, false])
        try await bench.end()
    }

    @Test func typesWithCapsLockOff() async throws {
        let bench = try await bench()
        try await bench.run { state in
            let keyboard = try #require(state.function as? KeyboardFunction)
            #expect(state.guest.control(0x21, 9, value: 0x0200, data: [2])?.status == .success)
            try keyboard.type("é", layout: .fr)
            // Caps Lock, the key and Caps Lock, each down and up, of which one report has gone.
            #expect(keyboard.waitingReports == 5)
            // What is left when the guest goes does not come up in the next.
            state.guest.configure(0)
            #expect(keyboard.waitingReports == 0)
        }
        try await bench.change("dropped") {
            $0 == .note(interface: "keys", "the guest left before all was typed; 5 reports dropped")
        }
        try await bench.end()
    }

    @Test func pressesConsumerControls() async throws {
        let bench = try await bench()
        let taken = Mutex<[[UInt8]]>([])
        try await bench.run { state in
            let keyboard = try #require(state.function as? KeyboardFunction)
            try keyboard.press(try KeyChord(parsing: "volume-up"))
            let number = try #require(state.guest.endpoints.last?.address.number)
            for _ in 0..<2 {
                state.guest.submit({ .in($0, number, length: 8) }) { completion in
                    taken.withLock { $0.append(completion.data) }
                }
            }
        }
        try await bench.until("both reports") { _ in taken.withLock { $0.count } == 2 }
        #expect(taken.withLock { $0 } == [[0xE9, 0], [0, 0]])
        try await bench.end()
    }

    @Test func refusesWhatItCannotDo() async throws {
        let bench = try await bench()
        try await bench.run { state in
            let keyboard = try #require(state.function as? KeyboardFunction)
            let error = #expect(throws: KeyboardFunction.Refusal.self) { try keyboard.type("ж") }
            #expect(error.map { "\($0)" } == "layout us cannot type 'ж' (U+0436)")
            let long = String(repeating: "a", count: KeyboardFunction.maximumQueuedReports)
            #expect(throws: KeyboardFunction.Refusal.tooMuch(waiting: 0)) { try keyboard.type(long) }
            state.guest.configure(0)
            #expect(throws: KeyboardFunction.Refusal.notActive(name: "keys")) { try keyboard.type("a") }
        }
        try await bench.end()
    }
}
