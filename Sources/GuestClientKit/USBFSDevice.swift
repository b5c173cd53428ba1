import CUSBFS
import Glibc

/// An open /dev/bus/usb node; confined to the thread that uses it. Closing it ends the kernel's transfers.
final class USBFSDevice {
    /// Large enough to keep a high-speed bus busy.
    static let transferSize = 65536
    /// What the kernel can allocate in one piece when the controller cannot gather pages.
    static let smallTransferSize = 16384

    let path: String
    private let descriptor: Int32
    private var urbs: [UnsafeMutablePointer<usbdevfs_urb>] = []
    private var buffers: [UnsafeMutableRawBufferPointer] = []

    init(path: String) throws(GuestError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw .systemCall(errno, path) }
    }

    deinit {
        // The kernel only writes to our memory from a reap call, so after close it may go.
        close(descriptor)
        urbs.forEach { $0.deallocate() }
        buffers.forEach { $0.deallocate() }
    }

    /// The largest transfer this controller takes without asking the kernel for one large block.
    var preferredTransferSize: Int {
        var capabilities: UInt32 = 0
        guard cusbfs_capabilities(descriptor, &capabilities) >= 0 else { return Self.smallTransferSize }
        let gathers = capabilities & UInt32(USBDEVFS_CAP_BULK_SCATTER_GATHER) != 0
        return gathers ? Self.transferSize : Self.smallTransferSize
    }

    /// Makes `count` slots of `size` bytes.
    func allocateSlots(_ count: Int, size: Int) {
        for _ in 0..<count {
            urbs.append(.allocate(capacity: 1))
            buffers.append(.allocate(byteCount: size, alignment: 64))
        }
    }

    /// Claims the interface; `detach` takes it from a kernel driver that has it.
    func claim(interface number: Int, detach: Bool) throws(GuestError) {
        let result = cusbfs_claim(descriptor, UInt32(truncatingIfNeeded: number))
        if result >= 0 { return }
        guard result == -EBUSY else { throw .systemCall(-result, "\(path) interface \(number)") }
        let holder = driver(interface: number)
        if detach, holder != "usbfs" {
            let taken = cusbfs_disconnect_claim(descriptor, UInt32(truncatingIfNeeded: number))
            if taken >= 0 { return }
            throw .systemCall(-taken, "\(path) interface \(number)")
        }
        switch holder {
        case "usbfs": throw .busy("\(path) interface \(number): claimed by another program")
        case let holder?:
            throw .busy("\(path) interface \(number): claimed by the kernel driver '\(holder)'; see --detach-driver")
        case nil: throw .busy("\(path) interface \(number): claimed by another program or driver")
        }
    }

    func release(interface number: Int) {
        // It fails only when the device is gone, and then there is nothing to release.
        _ = cusbfs_release(descriptor, UInt32(truncatingIfNeeded: number))
    }

    private func driver(interface number: Int) -> String? {
        var name = [CChar](repeating: 0, count: 256)
        guard cusbfs_get_driver(descriptor, UInt32(truncatingIfNeeded: number), &name, 256) >= 0 else { return nil }
        return SystemFile.printable(name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }

    /// A control transfer with a data stage from the device, or without one.
    func control(_ request: VendorRequest, timeoutMilliseconds: UInt32 = 2000) throws(TransferError) -> [UInt8] {
        var data = [UInt8](repeating: 0, count: Int(request.length))
        let count = data.withUnsafeMutableBytes { buffer in
            cusbfs_control(
                descriptor, request.requestType, request.code, request.value, request.index, buffer.baseAddress,
                request.length, timeoutMilliseconds)
        }
        guard count >= 0 else { throw TransferError(code: -count) }
        return Array(data.prefix(Int(count)))
    }
}

extension USBFSDevice: BulkDevice {
    var pollDescriptor: Int32 { descriptor }

    /// usbfs is "writable" when a transfer can be reaped.
    var pollEvents: Int16 { Int16(POLLOUT) }

    func buffer(slot: Int) -> UnsafeMutableRawBufferPointer { buffers[slot] }

    func submit(slot: Int, endpoint: UInt8, length: Int, zeroPacket: Bool) throws(TransferError) {
        let flags = zeroPacket ? UInt32(USBDEVFS_URB_ZERO_PACKET) : 0
        let result = cusbfs_submit_bulk(
            descriptor, urbs[slot], endpoint, buffers[slot].baseAddress, Int32(truncatingIfNeeded: length), flags,
            UnsafeMutableRawPointer(bitPattern: slot))
        guard result >= 0 else { throw TransferError(code: -result) }
    }

    func reap() throws(TransferError) -> BulkCompletion? {
        var urb: UnsafeMutablePointer<usbdevfs_urb>?
        let result = cusbfs_reap(descriptor, &urb)
        if result == -EAGAIN { return nil }
        guard result >= 0, let urb else { throw TransferError(code: result < 0 ? -result : EIO) }
        let slot = Int(bitPattern: urb.pointee.usercontext)
        guard urbs.indices.contains(slot) else { throw TransferError(code: EIO) }
        let length = min(max(0, Int(urb.pointee.actual_length)), buffers[slot].count)
        return BulkCompletion(slot: slot, code: -urb.pointee.status, length: length)
    }

    func discard(slot: Int) {
        // EINVAL: it has completed meanwhile, which is as good.
        _ = cusbfs_discard(descriptor, urbs[slot])
    }
}
