import Foundation
import NIOCore
import NIOPosix
import Testing
import USBClasses
import USBCore
import USBDevice

@testable import SimulatedFirmware

@Suite(.timeLimit(.minutes(2)))
struct StorageTests {
    /// A folder with an image in it, gone at the end.
    private final class Image: Sendable {
        let folder: URL
        let path: String

        init(_ name: String = "disk.img", bytes: [UInt8]) throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "2v-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            path = folder.appending(path: name).path
            try Data(bytes).write(to: URL(filePath: path))
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        var bytes: [UInt8] {
            get throws { [UInt8](try Data(contentsOf: URL(filePath: path))) }
        }
    }

    /// Bytes in which every block differs.
    private static func pattern(blocks: Int, seed: Int = 0) -> [UInt8] {
        (0..<blocks * 512).map { UInt8(truncatingIfNeeded: ($0 / 512 &* 7 &+ $0) ^ seed) }
    }

    private func bench(_ image: Image, _ mode: String?) async throws -> Bench {
        let target = try StorageTarget(image: image.path, mode: mode)
        let bench = try await Bench { try StorageFunction(name: "disk", target: target, eventLoop: $0) }
        try await bench.run { $0.guest.configure() }
        return bench
    }

    @Test func isABulkOnlyDisk() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 100))
        let bench = try await bench(image, "direct")
        let path = image.path
        try await bench.run { state in
            let interface = try #require(state.guest.configuration?.interfaces.first)
            #expect(
                [interface.interfaceClass, interface.interfaceSubClass, interface.interfaceProtocol] == [8, 6, 0x50])
            #expect(interface.endpoints.map(\.address.rawValue) == [0x81, 0x01])
            #expect(state.guest.control(0xA1, 0xFE, length: 1)?.data == [0])
            #expect(state.guest.control(0xA1, 0xFE, length: 2)?.status == .stall)
            #expect(state.guest.control(0x21, 0xFE)?.status == .stall)
            #expect(state.function.backend == "\(path) (direct)")
        }
        let host = StorageHost(bench: bench)
        #expect(try await host.command([0, 0, 0, 0, 0, 0]) == .init(status: .passed))
        #expect(try await host.command([0x25], read: 8).data == [0, 0, 0, 99, 0, 0, 2, 0])
        // The host asks for more than there is: short data, a stall, and the residue.
        let mode = try await host.command([0x1A, 0, 0x3F, 0, 192, 0], read: 192)
        #expect(mode.status == .passed)
        #expect(mode.residue == 160)
        #expect(mode.data.count == 32)
        try await bench.end()
    }

    @Test func directWritesReachTheFile() async throws {
        let before = Self.pattern(blocks: 3000)
        let image = try Image(bytes: before)
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        #expect(try await host.read(block: 0, count: 2048).data == Array(before[..<(1 << 20)]))
        let data = Self.pattern(blocks: 2048, seed: 0x5A)
        #expect(try await host.write(block: 900, data) == .init(status: .passed))
        #expect(try await host.write(block: 7, Array(data[..<512]), isDurable: true) == .init(status: .passed))
        #expect(try await host.command([0x35], read: 0) == .init(status: .passed))
        var after = before
        after.replaceSubrange(900 * 512..<2948 * 512, with: data)
        after.replaceSubrange(7 * 512..<8 * 512, with: data[..<512])
        #expect(try image.bytes == after)
        #expect(try await host.read(block: 900, count: 2048).data == data)
        // VERIFY, also with the host's bytes.
        #expect(try await host.command([0x2F, 0, 0, 0, 0, 0, 0, 0x0B, 0xB8, 0]).status == .passed)
        let compare: [UInt8] = [0x2F, 2, 0, 0, 0, 7, 0, 0, 1, 0]
        #expect(try await host.command(compare, write: Array(data[..<512])).status == .passed)
        #expect(try await host.command(compare, write: Array(data[512..<1024])).status == .failed)
        #expect(try await host.sense() == [0x0E, 0x1D, 0])
        try await bench.end()
    }

    @Test func aSnapshotLeavesTheImageAlone() async throws {
        // Not a multiple of the copy's blocks.
        let before = Self.pattern(blocks: 333)
        let image = try Image(bytes: before)
        let bench = try await bench(image, "snapshot")
        let host = StorageHost(bench: bench)
        var expected = before
        var random = SystemRandomNumberGenerator()
        for round in 0..<150 {
            let block = Int.random(in: 0..<333, using: &random)
            let count = Int.random(in: 1...min(40, 333 - block), using: &random)
            let data = Self.pattern(blocks: count, seed: round + 1)
            #expect(try await host.write(block: UInt32(block), data).status == .passed)
            expected.replaceSubrange(block * 512..<(block + count) * 512, with: data)
            let check = Int.random(in: 0..<333, using: &random)
            let read = try await host.read(block: UInt32(check), count: UInt16(min(50, 333 - check)))
            #expect(read.data == Array(expected[check * 512..<min(check + 50, 333) * 512]), "round \(round)")
        }
        #expect(try image.bytes == before)
        // A new configuration is the same disk.
        try await bench.run {
            $0.guest.configure(0)
            $0.guest.configure()
        }
        #expect(try await host.read(block: 0, count: 333).data == expected)
        try await bench.end()
        #expect(try image.bytes == before)
    }

    @Test func readOnlyRefusesWrites() async throws {
        let before = Self.pattern(blocks: 20)
        let image = try Image(bytes: before)
        let bench = try await bench(image, "read-only")
        let host = StorageHost(bench: bench)
        let answer = try await host.write(block: 3, [UInt8](repeating: 1, count: 1024))
        #expect(answer == .init(status: .failed, residue: 1024))
        #expect(try await host.sense() == [7, 0x27, 0])
        #expect(try await host.command([0x1A, 0, 0x3F, 0, 4, 0], read: 4).data == [31, 0, 0x80, 8])
        #expect(try await host.read(block: 0, count: 20).data == before)
        try await bench.end()
        #expect(try image.bytes == before)
    }

    @Test func anISOFileIsACDROM() async throws {
        let before = Self.pattern(blocks: 16)
        let image = try Image("boot.ISO", bytes: before)
        let bench = try await bench(image, nil)
        let host = StorageHost(bench: bench)
        #expect(try await host.command([0x12, 0, 0, 0, 2, 0], read: 2).data == [5, 0x80])
        #expect(try await host.command([0x25], read: 8).data == [0, 0, 0, 3, 0, 0, 8, 0])
        #expect(try await host.read(block: 1, count: 2, blockSize: 2048).data == Array(before[2048..<6144]))
        try await bench.end()
    }

    @Test func blocksBehindTheEndAreRefused() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 10))
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        let answer = try await host.read(block: 9, count: 2)
        #expect(answer == .init(status: .failed, residue: 1024))
        #expect(try await host.sense() == [5, 0x21, 0])
        #expect(try await host.write(block: 10, [UInt8](repeating: 0, count: 512)).status == .failed)
        // Less, and more, than the command says.
        #expect(try await host.command([0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], read: 512).status == .phaseError)
        #expect(try await host.command([0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0], read: 512).status == .phaseError)
        #expect(try await host.command([0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], write: [1, 2]).status == .phaseError)
        #expect(try await host.read(block: 9, count: 1).status == .passed)
        try await bench.end()
    }

    @Test func whatIsNoCommandTakesAResetRecovery() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 10))
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        #expect(try await host.out([1, 2, 3]) == .success)
        for _ in 0..<2 {
            #expect(try await host.in(13).status == .stall)
            #expect(try await host.out([UInt8](repeating: 0, count: 31)) == .stall)
            try await host.clearHalt(.in)
            try await host.clearHalt(.out)
        }
        try await host.reset()
        #expect(try await host.in(13).status == .stall)
        try await host.clearHalt(.in)
        try await host.clearHalt(.out)
        #expect(try await host.command([0, 0, 0, 0, 0, 0]).status == .passed)
        try await bench.end()
    }

    @Test func aFileThatShrinksIsAMediumError() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 100))
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        truncate(image.path, 50 * 512)
        #expect(try await host.read(block: 40, count: 20).status == .failed)
        #expect(try await host.sense() == [3, 0x11, 0])
        let trouble = "\(image.path): read: the file has become shorter"
        try await bench.change("trouble") { $0 == .trouble(interface: "disk", trouble) }
        #expect(try await host.read(block: 40, count: 10).status == .passed)
        try await bench.change("trouble over") { $0 == .trouble(interface: "disk", nil) }
        try await bench.end()
    }

    @Test func aGuestThatHasTheDiskOpenIsToldOf() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 10))
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        let path = image.path
        #expect(try await host.command([0x1E, 0, 0, 0, 1, 0]).status == .passed)
        try await bench.change("in use") { $0 == .mediumInUse(interface: "disk", true) }
        try await bench.run { #expect($0.function.backend == "\(path) (direct), in use") }
        #expect(try await host.command([0x1E, 0, 0, 0, 0, 0]).status == .passed)
        try await bench.change("not in use") { $0 == .mediumInUse(interface: "disk", false) }
        try await bench.run { #expect($0.function.backend == "\(path) (direct)") }
        try await bench.end()
    }

    @Test func ejectingGivesTheDiskBack() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 10))
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        #expect(try await host.command([0x1B, 0, 0, 0, 2, 0]).status == .passed)
        try await bench.change("release") { $0 == .ejected(interface: "disk") }
        #expect(try await host.command([0, 0, 0, 0, 0, 0]).status == .failed)
        #expect(try await host.sense() == [2, 0x3A, 0])
        // Plugged anew, it is there again.
        try await bench.run {
            $0.guest.configure(0)
            $0.guest.configure()
        }
        #expect(try await host.command([0, 0, 0, 0, 0, 0]).status == .passed)
        try await bench.end()
    }

    @Test func aWriteInHandIsFinishedWhenTheGuestGoes() async throws {
        let image = try Image(bytes: [UInt8](repeating: 0, count: 1 << 20))
        let bench = try await bench(image, "direct")
        let host = StorageHost(bench: bench)
        let data = Self.pattern(blocks: 2048, seed: 3)
        let wrapper = CommandBlockWrapper(
            tag: 1, transferLength: 1 << 20, isIn: false, commandBlock: [0x2A, 0, 0, 0, 0, 0, 0, 8, 0, 0])
        #expect(try await host.out(wrapper.bytes) == .success)
        // The last byte, and at once the end.
        try await bench.run { state in
            let number = state.guest.number(.bulk, .out)
            state.guest.submit({ .out($0, number, data: data) }) { #expect($0.status == .success) }
            state.guest.configure(0)
            state.guest.configure()
        }
        // Only then is there another command.
        #expect(try await host.read(block: 0, count: 2048).data == data)
        try await bench.end()
        #expect(try image.bytes == data)
    }

    @Test func anImageIsUsedOnce() async throws {
        let image = try Image(bytes: Self.pattern(blocks: 10))
        let bench = try await bench(image, "direct")
        let second = try StorageTarget(image: image.path, mode: "read-only")
        try await bench.run { _ in
            _ = #expect(throws: CatalogueError.inUse(image.path)) { try ImageFile(path: image.path, isWritable: true) }
        }
        let loop = bench.loop
        try await loop.submit {
            _ = #expect(throws: CatalogueError.inUse(second.path)) {
                try StorageFunction(name: "b", target: second, eventLoop: loop)
            }
        }.get()
        try await bench.end()
        // Readers share.
        let first = try await self.bench(image, "read-only")
        let other = try await self.bench(image, "snapshot")
        try await first.end()
        try await other.end()
    }

    @Test func refusesWhatIsNoImage() throws {
        func text(_ path: String, _ mode: String? = nil) -> String {
            do {
                let target = try StorageTarget(image: path, mode: mode)
                _ = try ImageFile(path: target.path, isWritable: false)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(text("disk.img") == "image 'disk.img': it is not an absolute path")
        #expect(text("/disk.img", "rw") == "mode 'rw'; allowed: direct, snapshot, read-only")
        #expect(text("/a.iso", "direct").hasPrefix("image '/a.iso': an ISO file is a CD-ROM"))
        #expect(text("/nowhere/disk.img") == "image '/nowhere/disk.img': No such file or directory")
        #expect(text("/dev/null") == "image '/dev/null': it is neither a file nor a block device")
        let empty = try Image(bytes: [1, 2, 3])
        let group = MultiThreadedEventLoopGroup.singleton
        let target = try StorageTarget(image: empty.path, mode: nil)
        #expect(throws: CatalogueError.badStorageImage(empty.path, reason: "it is smaller than a block of 512 bytes")) {
            try StorageFunction(name: "a", target: target, eventLoop: group.next())
        }
    }
}
