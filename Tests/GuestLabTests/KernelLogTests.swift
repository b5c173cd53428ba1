import Testing

@testable import GuestLab

@Suite struct KernelLogTests {
    @Test func waitsAcrossChunksAndFromMarks() async throws {
        let log = KernelLog()
        log.append(Array("one\r\ntw".utf8))
        #expect(log.lines() == ["one"])
        let mark = log.mark
        async let line = log.wait(since: mark, timeout: .seconds(5), for: "t") { $0.contains("o") }
        log.append(Array("o\r\n".utf8))
        #expect(try await line == "two")
        #expect(try await log.wait(since: .start, timeout: .seconds(5), for: "o") { $0.contains("o") } == "one")
    }

    @Test func timeoutShowsTheLastLine() async {
        let log = KernelLog()
        log.append(Array("last words\n".utf8))
        await #expect {
            try await log.wait(since: .start, timeout: .milliseconds(20), for: "x") { _ in false }
        } throws: {
            "\($0)".hasSuffix("last: last words")
        }
    }

    @Test func endFailsWaitersNowAndLater() async {
        let log = KernelLog()
        let error = LabError.guestEnded(name: "g", status: "exited with 0", detail: "")
        let early = Task { try await log.wait(since: .start, timeout: .seconds(5), for: "x") { _ in false } }
        log.end(error)
        await #expect(throws: error) { try await early.value }
        await #expect(throws: error) {
            try await log.wait(since: .start, timeout: .seconds(5), for: "x") { _ in false }
        }
    }

    @Test func endlessLineIsCut() {
        let log = KernelLog()
        log.append([UInt8](repeating: 0x61, count: 10_000))
        #expect(log.lines().count == 2)
    }
}
