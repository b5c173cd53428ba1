import FirmwareEmulator
import Foundation
import Logging
import NIOCore
import SimulatedFirmware

/// An emulated device with its files: the image, and the flash that is kept between runs.
final class EmulatedFirmware {
    /// Real time in which firmware must have enumerated.
    private static let patience = TimeAmount.seconds(10)

    let device: EmulatedDevice
    private let logger: Logger
    private let name: String
    private let flashFile: String?
    private let ready: EventLoopPromise<Void>
    private var isReady = false
    private var uart: SerialBridge?
    /// Serialises writing of the flash file.
    private let writer = DispatchQueue(label: "2virt flash")

    /// Loads the image and powers the board on.
    init(
        name: String, image path: String, board boardName: String, flash: String?, uart: SerialTarget?,
        eventLoop: any EventLoop, logger: Logger
    ) throws {
        self.name = name
        self.logger = logger
        flashFile = flash
        guard let board = Board.named(boardName) else { throw EmulatedFirmwareError.unknownBoard(boardName) }
        let bytes = try Self.read(path, limit: ImageLoader.maximumFileSize)
        let image: FirmwareImage
        do { image = try ImageLoader.load(bytes, address: board.chip.flashBase) } catch {
            throw EmulatedFirmwareError.badImage(path, "\(error)")
        }
        if case .unsupported(let chip)? = image.hint { throw EmulatedFirmwareError.badImage(path, "it is for \(chip)") }
        var kept: [UInt8]?
        if let flash, FileManager.default.fileExists(atPath: flash) { kept = try Self.read(flash, limit: 16 << 20) }
        do {
            device = try EmulatedDevice(
                image: image, board: board, identity: Self.identity(name), flash: kept, reportsSerial: uart != nil,
                executor: EventLoopExecutor(eventLoop: eventLoop))
        } catch { throw EmulatedFirmwareError.badImage(path, "\(error)") }
        let device = device
        self.uart = try uart.map { target in
            try SerialBridge(
                target, eventLoop: eventLoop, give: { [weak device] in device?.sendSerial($0) },
                report: { [weak device] in device?.port?.report(.trouble(interface: "uart", $0)) })
        }
        if let bridge = self.uart { logger.info("the board's serial ports are at \(bridge.text)") }
        ready = eventLoop.makePromise()
        device.onEvent = { [weak self] in self?.hear($0) }
        guard device.start() else {
            settle(.failure(EmulatedFirmwareError.noThread))
            throw EmulatedFirmwareError.noThread
        }
    }

    deinit { settle(.failure(EmulatedFirmwareError.silent(at: nil))) }

    /// Powers the board off and lets go of what is at its serial ports.
    func shutdown() {
        uart?.shutdown()
        device.shutdown()
    }

    /// Done when descriptors are known; fails with the reason when they will not be.
    func whenReady(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            guard let self else { return }
            settle(.failure(EmulatedFirmwareError.silent(at: device.status.place)))
        }
        return ready.futureResult
    }

    private func settle(_ result: Result<Void, any Error>) {
        guard !isReady else { return }
        isReady = true
        ready.completeWith(result)
    }

    private func hear(_ event: EmulatedDeviceEvent) {
        switch event {
        case .enumerated(let device):
            tell("firmware enumerated: \(device.product ?? "device without a name")")
            settle(.success(()))
        case .unusable(let reason): settle(.failure(EmulatedFirmwareError.unusable(reason)))
        case .faulted(let report):
            logger.warning("firmware crashed: \(report)")
            settle(.failure(EmulatedFirmwareError.crashed(report.description)))
        case .detached: tell("firmware left the bus")
        case .reset: tell("firmware reset the chip")
        case .diagnostic(let diagnostic): logger.info("firmware: \(diagnostic)")
        case .remoteWakeUp: logger.info("firmware woke the bus")
        case .flashChanged(let contents): keep(contents)
        case .serial(let bytes): uart?.send(bytes)
        case .serialTaken: uart?.taken()
        }
    }

    /// An event for the operator, once there is a device to speak of.
    private func tell(_ text: String) {
        logger.info("\(text)")
        if isReady { device.port?.report(.note(interface: "firmware", text)) }
    }

    /// Written beside and renamed, so that a crash leaves the old or the new contents.
    private func keep(_ contents: [UInt8]) {
        guard let flashFile else { return }
        let logger = logger
        writer.async {
            do {
                try Data(contents).write(to: URL(fileURLWithPath: flashFile), options: .atomic)
            } catch {
                logger.error("the flash cannot be kept in \(flashFile): \(error)")
            }
        }
    }

    private static func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw EmulatedFirmwareError.badImage(path, "no such file")
        }
        do {
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            guard size <= limit else {
                throw EmulatedFirmwareError.badImage(path, "\(size) bytes; at most \(limit) are read")
            }
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch let error as EmulatedFirmwareError {
            throw error
        } catch {
            throw EmulatedFirmwareError.badImage(path, "cannot be read: \(error.localizedDescription)")
        }
    }

    /// FNV-1a of the name: each device has a unique id of its own, the same in every run.
    private static func identity(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}

extension Behaviour {
    func whenReady(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        switch self {
        case .simulated: eventLoop.makeSucceededVoidFuture()
        case .emulated(let firmware): firmware.whenReady(on: eventLoop)
        }
    }
}

/// The loop of a device, for its machine's thread.
struct EventLoopExecutor: LoopExecutor {
    let eventLoop: any EventLoop

    func execute(_ work: @escaping @Sendable () -> Void) { eventLoop.execute(work) }
}

/// Why an image does not become a device.
enum EmulatedFirmwareError: Error, CustomStringConvertible {
    case unknownBoard(String)
    case badImage(String, String)
    case unusable(String)
    case crashed(String)
    /// - Parameter at: where the firmware is.
    case silent(at: String?)
    case noThread

    var description: String {
        switch self {
        case .unknownBoard(let name):
            "there is no board \"\(name)\"; known: \(Board.all.map(\.name).joined(separator: ", "))"
        case .badImage(let path, let reason): "\(path): \(reason)"
        case .unusable(let reason): "its firmware does not enumerate: \(reason)"
        case .crashed(let report): "its firmware crashed: \(report)"
        case .silent(let place):
            "its firmware did not attach to the bus" + (place.map { "; it is at \($0)" } ?? "")
        case .noThread: "the system gives no thread for it"
        }
    }
}
