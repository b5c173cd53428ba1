import Foundation
import NIOConcurrencyHelpers

@testable import GuestClientKit

/// Bulk endpoints whose far side is a socket: each IN transfer is one read, each OUT transfer one whole write.
final class FakeBulkDevice: BulkDevice, @unchecked Sendable {
    static let transferSize = 65536

    private struct Shared {
        var inQueue: [Int] = []
        var outQueue: [(slot: Int, length: Int)] = []
        var completions: [BulkCompletion] = []
        var isGone = false
        var zeroPackets = 0
        var submitFailure: Int32?
    }

    let pollDescriptor: Int32
    var pollEvents: Int16 { Int16(POLLIN) }
    private let wakeWriter: Int32
    private let far: Int32
    private let slots: [UnsafeMutableRawBufferPointer]
    private let lock = NSCondition()
    private var shared = Shared()

    init(far: Int32, slotCount: Int = 8) {
        self.far = far
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0)
        pollDescriptor = ends[0]
        wakeWriter = ends[1]
        slots = (0..<slotCount).map { _ in .allocate(byteCount: Self.transferSize, alignment: 64) }
        Thread { self.readFar() }.start()
        Thread { self.writeFar() }.start()
    }

    // The buffers live as long as the process: the two threads may still hold one.

    func buffer(slot: Int) -> UnsafeMutableRawBufferPointer { slots[slot] }

    var zeroPackets: Int { locked { $0.zeroPackets } }

    func failNextSubmit(_ code: Int32) { locked { $0.submitFailure = code } }

    func submit(slot: Int, endpoint: UInt8, length: Int, zeroPacket: Bool) throws(TransferError) {
        let failure: Int32? = locked { shared in
            if shared.isGone { return ENODEV }
            if let code = shared.submitFailure { return code }
            if endpoint & 0x80 != 0 {
                shared.inQueue.append(slot)
            } else {
                shared.outQueue.append((slot, length))
                if zeroPacket { shared.zeroPackets += 1 }
            }
            return nil
        }
        if let failure { throw TransferError(code: failure) }
    }

    func reap() throws(TransferError) -> BulkCompletion? {
        let next: (BulkCompletion?, Bool) = locked { shared in
            if shared.isGone { return (nil, true) }
            guard !shared.completions.isEmpty else { return (nil, false) }
            var byte: UInt8 = 0
            _ = read(self.pollDescriptor, &byte, 1)
            return (shared.completions.removeFirst(), false)
        }
        if next.1 { throw TransferError(code: ENODEV) }
        return next.0
    }

    func discard(slot: Int) {
        locked { shared in
            guard let index = shared.inQueue.firstIndex(of: slot) else { return }
            shared.inQueue.remove(at: index)
            self.complete(BulkCompletion(slot: slot, code: ENOENT, length: 0), &shared)
        }
    }

    /// Every transfer fails from now on, as when the plug is pulled.
    func unplug() {
        locked { shared in
            shared.isGone = true
            self.wake()
        }
        shutdown(far, Int32(SHUT_RDWR))
    }

    func injectCompletion(slot: Int, code: Int32) {
        locked { shared in
            shared.inQueue.removeAll { $0 == slot }
            self.complete(BulkCompletion(slot: slot, code: code, length: 0), &shared)
        }
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(wakeWriter, &byte, 1)
    }

    private func complete(_ completion: BulkCompletion, _ shared: inout Shared) {
        shared.completions.append(completion)
        wake()
    }

    @discardableResult
    private func locked<T>(_ body: (inout Shared) -> T) -> T {
        lock.lock()
        defer {
            lock.broadcast()
            lock.unlock()
        }
        return body(&shared)
    }

    private func awaiting<T>(_ take: (inout Shared) -> T?) -> T? {
        lock.lock()
        defer { lock.unlock() }
        while !shared.isGone {
            if let value = take(&shared) { return value }
            lock.wait()
        }
        return nil
    }

    private func readFar() {
        // Reads only while a transfer is queued, as a device sends only when it is asked.
        var entry = pollfd(fd: far, events: Int16(POLLIN), revents: 0)
        while awaiting({ $0.inQueue.first }) != nil, poll(&entry, 1, -1) > 0 {
            guard let slot = awaiting({ $0.inQueue.isEmpty ? nil : $0.inQueue.removeFirst() }) else { return }
            let count = read(far, slots[slot].baseAddress, slots[slot].count)
            if count <= 0 { return }
            locked { self.complete(BulkCompletion(slot: slot, code: 0, length: count), &$0) }
        }
    }

    private func writeFar() {
        while let next = awaiting({ $0.outQueue.isEmpty ? nil : $0.outQueue.removeFirst() }) {
            var sent = 0
            while sent < next.length {
                let base = slots[next.slot].baseAddress.map { $0 + sent }
                let count = send(far, base, next.length - sent, Int32(MSG_NOSIGNAL))
                if count <= 0 { return }
                sent += count
            }
            locked { self.complete(BulkCompletion(slot: next.slot, code: 0, length: sent), &$0) }
        }
    }
}
