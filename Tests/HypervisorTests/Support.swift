import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Hypervisor

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Times out.
struct TooLate: Error, CustomStringConvertible {
    let description: String
}

/// The first list that fits, or an error with the last one seen.
func firstList(
    _ registry: VMRegistry, within seconds: Double, _ what: String, where fits: @escaping @Sendable (VMList) -> Bool
) async throws -> VMList {
    let updates = await registry.updates()
    return try await withThrowingTaskGroup(of: VMList.self) { group in
        group.addTask {
            for await list in updates where fits(list) { return list }
            throw TooLate(description: "\(what): the updates ended")
        }
        group.addTask {
            try await Task.sleep(for: .seconds(seconds))
            throw TooLate(description: "\(what): not within \(seconds) s; last: \(await registry.list)")
        }
        guard let first = try await group.next() else { throw TooLate(description: what) }
        group.cancelAll()
        return first
    }
}

/// Runs a body with a started registry, and stops it afterwards.
func withRegistry(
    _ sources: [VMSource], timing: VMTiming = VMTiming(), _ body: (VMRegistry) async throws -> Void
) async throws {
    let registry = VMRegistry(sources: sources, logger: quiet, timing: timing)
    await registry.start()
    do {
        try await body(registry)
    } catch {
        await registry.shutdown()
        throw error
    }
    await registry.shutdown()
}
