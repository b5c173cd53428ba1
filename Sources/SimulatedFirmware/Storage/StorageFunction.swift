import DequeModule
import Glibc
import NIOCore
import USBClasses
import USBCore
import USBDevice

/// A disk or CD-ROM (mass storage, bulk-only transport) in front of an image.
///
/// One command is in hand at a time, whose data is held whole (at most 1 MiB); the next waits in the guest. A write that
/// was being carried out when the guest went away is carried out, and nothing answered.
public final class StorageFunction: Function {
    public let name: String
    public let kind = "storage"
    private let target: StorageTarget
    private let disk: StorageDisk
    private var unit: SCSIUnit
    private var transport = BulkOnlyTransport()
    private var context: (any FunctionContext)?
    private var effects: Deque<BulkOnlyTransport.Effect> = []
    /// Answers of jobs that began in an earlier session go nowhere.
    private var session = 0
    private var jobs = 0
    private var isRunning = false
    private var hasTrouble = false
    /// The guest has ejected the medium, and is yet to take the answer.
    private var isLeaving = false
    /// As last told.
    private var wasInUse = false
    private var clearedHalts: Set<EndpointKey> = []

    /// Opens and locks the image.
    init(name: String, target: StorageTarget, eventLoop: any EventLoop) throws(CatalogueError) {
        let isDirect = target.mode == .direct
        let image = try ImageFile(path: target.path, isWritable: isDirect)
        let blocks = image.size / UInt64(target.type.blockSize)
        guard blocks > 0 else {
            throw .badStorageImage(target.path, reason: "it is smaller than a block of \(target.type.blockSize) bytes")
        }
        let store: any BlockStore =
            target.mode == .snapshot ? try SnapshotStore(base: image, folder: SnapshotStore.defaultFolder) : image
        self.name = name
        self.target = target
        disk = StorageDisk(store, eventLoop: eventLoop)
        unit = SCSIUnit(
            medium: SCSIMedium(
                type: target.type, blockCount: blocks, isReadOnly: target.mode == .readOnly,
                isRemovable: true, hasWriteCache: isDirect,
                serialNumber: Self.serialNumber(image.identifier), identifier: image.identifier))
    }

    public var backend: String { "\(target.path) (\(target.mode.rawValue))\(unit.isInUse ? ", in use" : "")" }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let code = ClassCode(MassStorage.interfaceClass, MassStorage.scsi, MassStorage.bulkOnly)
        return FunctionDeclaration(
            classCode: code,
            interfaces: [
                InterfaceDeclaration(
                    classCode: code,
                    endpoints: [
                        EndpointDeclaration(.bulkIn, .in, .bulk, isExact: true),
                        EndpointDeclaration(.bulkOut, .out, .bulk),
                    ])
            ])
    }

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() {
        begin()
        unit.reset()
        tellUse()
        run()
    }

    public func deactivate() {
        begin()
        leave()
        unit.reset()
        tellUse()
    }

    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard setup.requestType.kind == .class, setup.requestType.recipient == .interface, setup.value == 0 else {
            return .stall
        }
        switch (MassStorage.Request(rawValue: setup.request), setup.direction) {
        case (.getMaxLUN, .in) where setup.length == 1:
            return .acknowledge([0])
        case (.reset, .out) where setup.length == 0:
            begin()
            context?.discard(.bulkIn)
            context?.report(.note(interface: name, "reset by the guest"))
            return .acknowledge()
        default:
            return .stall
        }
    }

    public func endpointReady(_ endpoint: EndpointKey) {
        // A halted endpoint has nothing else to say than that it is halted no more.
        if transport.isHalted { clearedHalts.insert(endpoint) }
        run()
    }

    public func shutdown() {
        begin()
        disk.close(isIdle: jobs == 0)
        context = nil
    }

    // MARK: Inside

    private func begin() {
        session &+= 1
        transport.reset()
        effects.removeAll()
        clearedHalts.removeAll()
    }

    /// Does all that can be done now. Whatever is called from here may call back; it is then the outer run that goes on.
    private func run() {
        guard !isRunning, let context else { return }
        isRunning = true
        defer { isRunning = false }
        while true {
            if let effect = effects.popFirst() {
                perform(effect, context)
            } else if let endpoint = clearedHalts.popFirst() {
                effects += transport.haltCleared(isIn: endpoint == .bulkIn)
            } else if transport.awaitsTaking, context.isActive, context.queuedBytes(.bulkIn) == 0 {
                effects += transport.sent()
                if !transport.awaitsTaking { leave() }
            } else if jobs == 0, transport.takesData, let bytes = context.read(.bulkOut) {
                let unit = unit
                effects += transport.received(bytes) { unit.plan($0.commandBlock, lun: $0.lun).intent }
            } else {
                return
            }
        }
    }

    private func perform(_ effect: BulkOnlyTransport.Effect, _ context: any FunctionContext) {
        switch effect {
        case .send(let bytes): context.write(bytes, to: .bulkIn, endOfMessage: true)
        case .haltIn: context.halt(.bulkIn)
        case .haltOut: context.halt(.bulkOut)
        case .execute(let command, let data):
            let plan = unit.begin(unit.plan(command.commandBlock, lun: command.lun), data: data)
            tellUse()
            switch plan {
            case .fail: effects += transport.finished(.failed)
            case .respond(let bytes): effects += transport.finished(.passed(bytes))
            case .read(let offset, let length): start(.read(offset: offset, length: length), plan)
            case .write(let offset, _, let isDurable):
                start(.write(offset: offset, bytes: data, isDurable: isDurable), plan)
            case .verify(let offset, let length): start(.verify(offset: offset, length: length), plan)
            case .compare(let offset, _): start(.compare(offset: offset, bytes: data), plan)
            case .flush, .eject: start(.flush, plan)
            case .done, .select, .load, .prevent, .requestSense: effects += transport.finished(.passed())
            }
        }
    }

    private func start(_ job: StorageJob, _ plan: SCSIUnit.Plan) {
        jobs += 1
        let session = session
        disk.run(job) { [self] result in
            jobs -= 1
            tellTrouble(result)
            if session == self.session { effects += transport.finished(outcome(of: plan, result)) }
            run()
        }
    }

    private func outcome(of plan: SCSIUnit.Plan, _ result: StorageResult) -> BulkOnlyTransport.Outcome {
        switch result {
        case .failed(let failure): unit.failed(failure.sense)
        case .different: unit.failed(.miscompare)
        case .data(let bytes): return .passed(bytes)
        case .done:
            if case .eject = plan {
                unit.ejected()
                tellUse()
                isLeaving = true
            }
            return .passed()
        }
        return .failed
    }

    private func tellTrouble(_ result: StorageResult) {
        if case .failed(let failure) = result {
            hasTrouble = true
            context?.report(.trouble(interface: name, "\(failure)"))
        } else if hasTrouble {
            hasTrouble = false
            context?.report(.trouble(interface: name, nil))
        }
    }

    /// Ejecting is how a guest gives a disk back: told once it has its answer, which would else be lost with the device.
    private func leave() {
        guard isLeaving else { return }
        isLeaving = false
        context?.report(.ejected(interface: name))
    }

    /// Guests lock a medium in while they have it open, mounted for instance.
    private func tellUse() {
        guard unit.isInUse != wasInUse else { return }
        wasInUse = unit.isInUse
        context?.report(.mediumInUse(interface: name, wasInUse))
    }

    private static func serialNumber(_ identifier: UInt64) -> String {
        let digits = String(identifier, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension StorageFailure {
    /// What the guest hears of it.
    var sense: SCSISense {
        switch operation {
        case .read: .unrecoveredReadError
        case .write where code == ENOSPC || code == EDQUOT: .spaceAllocationFailed
        case .write, .flush: .writeError
        }
    }
}
