import Glibc
import NIOCore
import NIOPosix

/// A TAP interface of this machine as one more member of a network: through it guests reach what the machine connects.
///
/// It may send from any address that is not another member's, as a bridge does. Frames that the machine does not take
/// now are dropped. The interface goes with it, unless it was made to stay (`ip tuntap add`).
final class TapUplink {
    static let longestName = 15
    private static let driver = "/dev/net/tun"
    /// TUNSETIFF, a macro that Swift does not import; IFF_TAP with IFF_NO_PI: frames and nothing before them.
    private static let setInterface: CUnsignedLong = 0x4004_54CA
    private static let frameMode: UInt16 = 0x1002
    /// Bytes of a struct ifreq: a name of 16, then flags.
    private static let requestSize = 40
    private static let nameSize = 16
    /// Bytes: a frame with a VLAN tag, and some.
    private static let readSize = 2048

    let name: String
    private let network: VirtualNetwork
    private let member: Int
    private let eventLoop: any EventLoop
    /// Written to frame by frame: a channel might join frames, which the driver would take for one.
    private let output: CInt
    private var channel: (any Channel)?
    private var isShutDown = false
    /// Tells what is wrong with it.
    var trouble: ((String) -> Void)?

    /// Call on `eventLoop`.
    ///
    /// - Throws: `CatalogueError.cannotOpenUplink` where the interface is in use or this program may not have it.
    init(_ name: String, network: VirtualNetwork, eventLoop: any EventLoop) throws(CatalogueError) {
        self.name = name
        self.network = network
        self.eventLoop = eventLoop
        let input = try Self.open(name)
        output = fcntl(input, F_DUPFD_CLOEXEC, 0)
        guard output >= 0 else {
            let code = errno
            close(input)
            throw .cannotOpenUplink(name, reason: SocketFile.reason(code))
        }
        let waker = Waker()
        let box = NIOLoopBound(waker, eventLoop: eventLoop)
        do {
            member = try network.join(
                "uplink \(name)", address: MACAddress(device: "uplink", interface: name), allowsAnySource: true
            ) {
                eventLoop.execute { box.value.uplink?.woken() }
            }
        } catch {
            close(input)
            close(output)
            throw error
        }
        waker.uplink = self
        network.set(member, isUp: true, now: seconds)
        NIOPipeBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readSize))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Frames(box.value))
                }
            }
            .takingOwnershipOfDescriptor(input: input)
            .assumeIsolated()
            .whenComplete { [weak self] result in
                switch result {
                case .success(let channel): self?.opened(channel) ?? channel.close(promise: nil)
                case .failure(let error):
                    close(input)
                    self?.ended("\(error)")
                }
            }
    }

    deinit { close(output) }

    func shutdown() {
        isShutDown = true
        network.leave(member)
        channel?.close(promise: nil)
        channel = nil
    }

    /// What is wrong on this machine, without opening anything.
    static func problem(_ name: String) -> CatalogueError? {
        access(driver, R_OK | W_OK) == 0
            ? nil : .cannotOpenUplink(name, reason: "\(driver): \(SocketFile.reason(errno))")
    }

    private static func open(_ name: String) throws(CatalogueError) -> CInt {
        let descriptor = Glibc.open(driver, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .cannotOpenUplink(name, reason: "\(driver): \(SocketFile.reason(errno))")
        }
        var request = [UInt8](repeating: 0, count: requestSize)
        request.replaceSubrange(0..<min(name.utf8.count, longestName), with: name.utf8.prefix(longestName))
        request[nameSize] = UInt8(frameMode & 0xFF)
        request[nameSize + 1] = UInt8(frameMode >> 8)
        guard ioctl(descriptor, setInterface, &request) == 0 else {
            let code = errno
            close(descriptor)
            throw .cannotOpenUplink(name, reason: SocketFile.reason(code))
        }
        return descriptor
    }

    private func opened(_ channel: any Channel) {
        if isShutDown { channel.close(promise: nil) } else { self.channel = channel }
    }

    private func ended(_ reason: String) {
        guard !isShutDown else { return }
        network.set(member, isUp: false, now: seconds)
        trouble?("uplink \(name): \(reason)")
    }

    private var seconds: Double { Double(eventLoop.now.uptimeNanoseconds) / 1e9 }

    // MARK: Frames

    /// From the network to the machine.
    private func woken() {
        network.woken(member)
        var frames: [[UInt8]] = []
        network.take(member, now: seconds) { frame in
            frames.append(frame)
            return true
        }
        // What is not written, because the interface is down or has no room, is lost, as on any wire.
        for frame in frames { _ = frame.withUnsafeBytes { write(output, $0.baseAddress, $0.count) } }
    }

    /// One frame from the machine; shorter ones than Ethernet's header are the network's to refuse.
    private func received(_ frame: ByteBuffer) {
        guard !isShutDown else { return }
        _ = network.send([Array(frame.readableBytesView)], from: member, now: seconds)
    }

    /// The way from other loops to this one.
    private final class Waker {
        weak var uplink: TapUplink?
    }

    /// The end of the channel: each read is one frame.
    private final class Frames: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let waker: Waker
        private var error: (any Error)?

        init(_ waker: Waker) {
            self.waker = waker
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            waker.uplink?.received(unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.error = error
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            waker.uplink?.ended(error.map { "\($0)" } ?? "it is gone")
        }
    }
}
