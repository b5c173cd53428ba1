import NIOCore
import Testing
import USBClasses
import USBCore
import USBDevice

@testable import SimulatedFirmware

/// A host's mass storage driver on the guest's end of a bench: commands through bulk-only transport, halts cleared.
struct StorageHost: Sendable {
    /// How a command ended.
    struct Answer: Sendable, Equatable {
        var status: CommandStatusWrapper.Status
        var data: [UInt8] = []
        var residue: UInt32 = 0
    }

    let bench: Bench

    /// One command with its data, answered as the driver would see it.
    func command(
        _ block: [UInt8], read length: Int = 0, write data: [UInt8] = []
    ) async throws -> Answer {
        let expected = max(length, data.count)
        let wrapper = CommandBlockWrapper(
            tag: 77, transferLength: UInt32(expected), isIn: length > 0, commandBlock: block)
        try #require(try await out(wrapper.bytes) == .success)
        var received: [UInt8] = []
        for piece in stride(from: 0, to: data.count, by: 16384) {
            try #require(try await out(Array(data[piece..<min(piece + 16384, data.count)])) == .success)
        }
        // In pieces, as hosts do that have no large transfers.
        while received.count < length {
            let wanted = min(16384, length - received.count)
            let completion = try await `in`(wanted)
            received += completion.data
            if completion.status == .stall { try await clearHalt(.in) }
            if completion.data.count < wanted { break }
        }
        var completion = try await `in`(13)
        if completion.status == .stall {
            try await clearHalt(.in)
            completion = try await `in`(13)
        }
        let status = try #require(CommandStatusWrapper(bytes: completion.data), "\(completion)")
        #expect(status.tag == 77)
        return Answer(status: status.status, data: received, residue: status.residue)
    }

    /// Sense key, code and qualifier of what failed last.
    func sense() async throws -> [UInt8] {
        let answer = try await command([0x03, 0, 0, 0, 18, 0], read: 18)
        try #require(answer.data.count == 18)
        return [answer.data[2], answer.data[12], answer.data[13]]
    }

    func read(block: UInt32, count: UInt16, blockSize: Int = 512) async throws -> Answer {
        try await command(Self.transfer(0x28, block, count), read: Int(count) * blockSize)
    }

    func write(block: UInt32, _ data: [UInt8], isDurable: Bool = false) async throws -> Answer {
        try await command(
            Self.transfer(0x2A, block, UInt16(data.count / 512), flags: isDurable ? 8 : 0), write: data)
    }

    func out(_ bytes: [UInt8]) async throws -> TransferStatus {
        try await submit { guest in { .out($0, guest.number(.bulk, .out), data: bytes) } }.status
    }

    func `in`(_ length: Int) async throws -> TransferCompletion {
        try await submit { guest in { .in($0, guest.number(.bulk, .in), length: length) } }
    }

    func clearHalt(_ direction: Direction) async throws {
        try await bench.run { state in
            let address = UInt16(state.guest.number(.bulk, direction)) | UInt16(direction.rawValue)
            #expect(state.guest.control(0x02, 1, value: 0, index: address)?.status == .success)
        }
    }

    /// Bulk-Only Mass Storage Reset.
    func reset() async throws {
        try await bench.run { #expect($0.guest.control(0x21, 0xFF)?.status == .success) }
    }

    private func submit(
        _ make: @escaping @Sendable (Guest) -> (TransferID) -> Transfer
    ) async throws -> TransferCompletion {
        let promise = bench.loop.makePromise(of: TransferCompletion.self)
        try await bench.run { state in
            state.guest.submit(make(state.guest)) { promise.succeed($0) }
        }
        return try await promise.futureResult.get()
    }

    private static func transfer(_ code: UInt8, _ block: UInt32, _ count: UInt16, flags: UInt8 = 0) -> [UInt8] {
        [
            code, flags, UInt8(block >> 24), UInt8(block >> 16 & 0xFF), UInt8(block >> 8 & 0xFF), UInt8(block & 0xFF),
            0, UInt8(count >> 8), UInt8(count & 0xFF), 0,
        ]
    }
}
