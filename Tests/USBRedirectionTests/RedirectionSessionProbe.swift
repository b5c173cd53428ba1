import Logging
import NIOCore
import NIOEmbedded
import RedirectionTestKit
import USBDevice
import USBRedirection

/// A second link to a port that another session may hold.
final class RedirectionSessionProbe {
    private final class Events { var all: [RedirectionEvent] = [] }
    private let log = Events()
    var events: [RedirectionEvent] { log.all }
    private let channel = EmbeddedChannel()
    private let guest = GuestPeer()

    init(port: DevicePort) {
        let log = log
        let session = RedirectionSession(
            port: port, speed: .high, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { log.all.append($0) }
        self.session = session
    }

    private let session: RedirectionSession

    func sayHello() throws {
        try channel.pipeline.syncOperations.addHandler(session)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        try channel.writeInbound(guest.hello())
    }
}
