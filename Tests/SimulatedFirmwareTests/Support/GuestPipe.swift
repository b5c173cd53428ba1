import DequeModule
import USBCore
import USBDevice

@testable import SimulatedFirmware

/// The guest's end of a bulk pipe, in the shape that `BulkChannel` knows, so that a client pipeline can run on it.
///
/// Keeps a few IN transfers parked unless `isPaused`, and a few OUT transfers in flight.
final class GuestPipe: FunctionContext {
    static let transferSize = 65536
    private static let depth = 4

    var speed: Speed? { guest.port.speed }
    var isActive: Bool { true }
    var firstInterface: UInt8? { 0 }
    /// Called when bytes came or went.
    var changed: (() -> Void)?
    /// A slow guest: takes nothing more.
    var isPaused = false {
        didSet { park() }
    }
    private(set) var failures = 0
    private(set) var bytesIn = 0

    private let guest: Guest
    private let input: UInt8
    private let output: UInt8
    private var parked = 0
    private var sending = 0
    private var received: Deque<[UInt8]> = []
    private var outgoing: Deque<[UInt8]> = []
    private var outgoingBytes = 0

    init(_ guest: Guest) {
        self.guest = guest
        input = guest.number(.bulk, .in)
        output = guest.number(.bulk, .out)
        park()
    }

    func write(_ bytes: [UInt8], to endpoint: EndpointKey, endOfMessage: Bool) {
        outgoing.append(bytes)
        outgoingBytes += bytes.count
        push()
    }

    func queuedBytes(_ endpoint: EndpointKey) -> Int { outgoingBytes }

    func read(_ endpoint: EndpointKey) -> [UInt8]? {
        let bytes = received.popFirst()
        park()
        return bytes
    }

    func halt(_ endpoint: EndpointKey) {}
    func discard(_ endpoint: EndpointKey) {}
    func report(_ change: DeviceChange) {}

    private func park() {
        while !isPaused, failures == 0, parked < Self.depth, received.count < Self.depth {
            parked += 1
            guest.submit({ .in($0, input, length: Self.transferSize) }) { [self] completion in
                parked -= 1
                guard completion.status == .success else {
                    failures += 1
                    return
                }
                bytesIn += completion.data.count
                received.append(completion.data)
                park()
                changed?()
            }
        }
    }

    private func push() {
        while failures == 0, sending < Self.depth, let bytes = outgoing.popFirst() {
            sending += 1
            guest.submit({ .out($0, output, data: bytes) }) { [self] completion in
                sending -= 1
                outgoingBytes -= bytes.count
                guard completion.status == .success else {
                    failures += 1
                    return
                }
                push()
                changed?()
            }
        }
    }
}
