import Foundation
import Logging
import NIOCore
import NIOPosix
import USBRedirection

/// What the engine runs for one device: session, port, simulated device and traffic recorder, on a UNIX socket.
final class DeviceServer: Sendable {
    private let loop: any EventLoop
    private let core: NIOLoopBound<Core>

    /// What lives on the loop.
    private final class Core {
        let loop: LoopDevice
        let listener: RedirectionListener

        init(blockSize: Int, loop eventLoop: any EventLoop) throws {
            loop = try LoopDevice(blockSize: blockSize)
            listener = RedirectionListener(
                port: loop.port, speed: .high, eventLoop: eventLoop, logger: Logger(label: "2virt.bench")
            ) { _ in }
        }
    }

    private init(loop: any EventLoop, core: NIOLoopBound<Core>) {
        self.loop = loop
        self.core = core
    }

    static func start(at path: String, blockSize: Int, on loop: any EventLoop) async throws -> DeviceServer {
        let core = try await loop.submit {
            NIOLoopBound(try Core(blockSize: blockSize, loop: loop), eventLoop: loop)
        }.get()
        try await loop.flatSubmit { core.value.listener.listen(unixPath: path) }.get()
        return DeviceServer(loop: loop, core: core)
    }

    func stop() async throws {
        let core = core
        try await loop.flatSubmit { core.value.listener.close() }.get()
        try await loop.submit { core.value.loop.device.shutdown() }.get()
    }
}
