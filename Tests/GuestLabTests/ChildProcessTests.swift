import Foundation
import Testing

@testable import GuestLab

@Suite struct ChildProcessTests {
    @Test func outputIsCompleteBeforeTheEnd() async throws {
        let text = try await HostTool.run("sh", ["-c", "seq 1 20000; echo oops >&2"])
        #expect(text.hasPrefix("1\n2\n"))
        #expect(text.hasSuffix("20000\noops\n"))
    }

    @Test func failureNamesToolStatusAndLastWords() async {
        await #expect(throws: LabError.toolFailed(tool: "sh", status: "exited with 3", output: "bad luck")) {
            try await HostTool.run("sh", ["-c", "echo bad luck; exit 3"])
        }
        await #expect(throws: LabError.toolFailed(tool: "sh", status: "was ended by signal 9", output: "")) {
            try await HostTool.run("sh", ["-c", "kill -9 $$"])
        }
        await #expect(throws: LabError.self) { try await HostTool.run("no-such-program-2virt", []) }
    }

    @Test func cancellationKills() async throws {
        let (started, signal) = AsyncStream<Void>.makeStream()
        let task = Task { try await HostTool.run("sh", ["-c", "echo up; exec sleep 600"]) { _ in signal.yield() } }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func manyAtOnce() async throws {
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<40 { group.addTask { try await HostTool.run("sh", ["-c", "echo \(number)"]) } }
            var sum = 0
            for try await text in group { sum += Int(text.dropLast()) ?? -10_000 }
            #expect(sum == 780)
        }
    }

    /// The child must survive the pool threads of its starter and die with the process, not with a thread.
    @Test func childHasTheParentDeathSignal() async throws {
        let text = try await HostTool.run("setpriv", ["--dump"])
        #expect(text.contains("Parent death signal: KILL") || text.contains("Parent death signal: kill"))
    }
}
