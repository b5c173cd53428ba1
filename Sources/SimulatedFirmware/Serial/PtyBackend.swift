import Glibc
import NIOCore
import NIOPosix

/// A pseudo terminal in raw mode whose other side host programs open.
///
/// We keep the other side open ourselves: programs may come and go without a hang-up (EIO) at ours, and what the guest
/// sends meanwhile waits in the terminal's buffer (4 KiB), then in the guest. A pty therefore counts as connected.
final class PtyBackend: SerialBackend {
    weak var sink: (any SerialSink)?
    /// Such as `/dev/pts/4`.
    let path: String
    /// TIOCSPTLCK and TIOCGPTN, which are macros that Swift does not import.
    private static let setLock: CUnsignedLong = 0x4004_5431
    private static let getNumber: CUnsignedLong = 0x8004_5430
    private let terminal: CInt
    private var link: SerialLink?
    private var wantsRead = false
    private var trouble: String?
    private var isShutDown = false

    init(eventLoop: any EventLoop) throws(CatalogueError) {
        eventLoop.preconditionInEventLoop()
        let controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard controller >= 0 else { throw .cannotOpenPty(reason: SocketFile.reason(errno)) }
        // What unlockpt and ptsname do; Swift's Glibc does not have these.
        var lock: CInt = 0
        var number: CUnsignedInt = 0
        guard ioctl(controller, Self.setLock, &lock) == 0, ioctl(controller, Self.getNumber, &number) == 0 else {
            let code = errno
            close(controller)
            throw .cannotOpenPty(reason: SocketFile.reason(code))
        }
        path = "/dev/pts/\(number)"
        terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else {
            let code = errno
            close(controller)
            throw .cannotOpenPty(reason: "\(path): \(SocketFile.reason(code))")
        }
        var attributes = termios()
        if tcgetattr(terminal, &attributes) == 0 {
            cfmakeraw(&attributes)
            tcsetattr(terminal, TCSANOW, &attributes)
        }
        let bound = NIOLoopBound(makeLink(), eventLoop: eventLoop)
        NIOPipeBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .takingOwnershipOfDescriptor(inputOutput: controller)
            .assumeIsolated()
            .whenFailure { [weak self] error in
                close(controller)
                self?.failed("\(error)")
            }
    }

    deinit {
        close(terminal)
    }

    var text: String { "pty \(path)" }
    var isConnected: Bool { link != nil }
    var isWritable: Bool { link?.isWritable ?? false }

    func write(_ bytes: ByteBuffer) { link?.write(bytes) }

    func read() {
        wantsRead = true
        link?.read()
    }

    func shutdown() {
        isShutDown = true
        link?.close()
        link = nil
    }

    private func makeLink() -> SerialLink {
        SerialLink(
            SerialLink.Events(
                active: { [weak self] in self?.opened($0) },
                received: { [weak self] in self?.received($0) },
                readCompleted: { [weak self] in self?.sink?.readCompleted() },
                writable: { [weak self] in self?.sink?.becameWritable() },
                inputClosed: { _ in },
                inactive: { [weak self] _, error in self?.closed(error) }))
    }

    private func opened(_ link: SerialLink) {
        if isShutDown {
            link.close()
            return
        }
        self.link = link
        sink?.connectionChanged()
        if wantsRead { link.read() }
    }

    private func received(_ bytes: ByteBuffer) {
        wantsRead = false
        sink?.received(bytes)
    }

    private func closed(_ error: (any Error)?) {
        link = nil
        sink?.connectionChanged()
        failed(error.map { "\($0)" } ?? "closed")
    }

    private func failed(_ reason: String) {
        trouble = "pty \(path): \(reason)"
        sink?.troubleChanged(trouble)
    }
}
