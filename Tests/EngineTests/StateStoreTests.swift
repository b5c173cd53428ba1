import ControlProtocol
import Foundation
import TestDirectory
import Testing

@testable import Engine

struct StateStoreTests {
    let directory: TemporaryDirectory
    let store: StateStore

    init() throws {
        directory = try TemporaryDirectory()
        store = StateStore(file: directory.file("state.json"))
    }

    var state: EngineState {
        var state = EngineState()
        state.devices["desk"] = .init(
            attachment: Attachment(vm: "a", via: .usbredir), vmID: "qmp:/a", since: 1, by: "op",
            gates: ["log": .init(state: .off, since: 2, by: "guest")])
        return state
    }

    @Test func whatIsWrittenIsRead() throws {
        guard case .none = try store.read() else {
            Issue.record("there is no file yet")
            return
        }
        for _ in 0..<2 { try store.write(state) }
        guard case .state(let read) = try store.read() else {
            Issue.record("not read")
            return
        }
        #expect(read == state)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["state.json"])
        let mode = try FileManager.default.attributesOfItem(atPath: store.file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// A reader, at any moment, finds the old state or the new one.
    @Test func replacementIsAtomic() async throws {
        try store.write(state)
        var large = state
        for number in 0..<2000 { large.devices["d\(number)"] = .init(since: 0, by: "x", gates: [:]) }
        let (store, small, other) = (store, state, large)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for _ in 0..<20 { for state in [small, other] { try store.write(state) } } }
            group.addTask {
                for _ in 0..<40 {
                    guard case .state(let read) = try store.read() else {
                        Issue.record("neither the old nor the new")
                        return
                    }
                    #expect(read.devices.count == 1 || read.devices.count == 2001)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: [
        ("", "it is not JSON"), ("{", "it is not JSON"), ("[1]", "wrong value at ''"),
        ("{}", "key 'version' is missing"),
        ("{\"version\":2,\"devices\":{}}", "it has version 2, this engine knows 1"),
        ("{\"version\":1,\"devices\":{\"a\":3}}", "wrong value at 'devices.a'"),
    ])
    func damageIsSetAside(_ text: String, _ reason: String) throws {
        for _ in 0..<2 {
            try Data(text.utf8).write(to: URL(fileURLWithPath: store.file))
            guard case .damaged(let found, let setAside) = try store.read(now: Date(timeIntervalSince1970: 1)) else {
                Issue.record("trusted")
                return
            }
            #expect(found == reason)
            #expect(setAside.hasPrefix(store.file + ".damaged-1"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: setAside)) == Data(text.utf8))
            #expect(!FileManager.default.fileExists(atPath: store.file))
        }
    }

    @Test func anOversizedFileIsSetAside() throws {
        try Data(repeating: 0x20, count: 16 << 20 + 1).write(to: URL(fileURLWithPath: store.file))
        guard case .damaged(let reason, _) = try store.read() else {
            Issue.record("trusted")
            return
        }
        #expect(reason == "it is larger than 16 MiB")
    }

    @Test func whatIsNoFileIsNotTouched() throws {
        try FileManager.default.createDirectory(atPath: store.file, withIntermediateDirectories: false)
        #expect(throws: StateError.self) { try store.read() }
        #expect(throws: StateError.self) { try store.write(state) }
    }
}
