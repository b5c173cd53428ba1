import DequeModule
import NIOCore
import USBClasses
import USBCore
import USBDevice

/// A network interface of a guest (CDC-NCM) that is a member of a named network.
///
/// Its carrier follows the network: the peer of a point-to-point network, the switch of the other kind. What the guest
/// sends beyond what a point-to-point peer takes is answered NAK.
public final class NetworkFunction: Function {
    /// What the host sets, and alternate setting 0 resets (NCM 1.0 section 7.2).
    struct Settings: Equatable {
        var format = NTBFormat.ntb16
        var inputSize = NCM.maximumBlockSize
        /// Frames of a block to the host; 0: no limit.
        var inputFrames = 0
        var frameSize = NCM.maximumFrameSize
        var appendsCRC = false
        /// nil: not set, everything passes.
        var filter: EthernetPacketFilter?
    }

    /// Seconds of peace after which a drop is told again.
    private static let quiet = 10.0

    public let name: String
    public let kind: String
    public let address: MACAddress
    private(set) var settings = Settings()

    private let network: VirtualNetwork
    private let member: Int
    private let eventLoop: any EventLoop
    /// The network's way out, where this interface brings it.
    private let uplink: TapUplink?
    private var context: (any FunctionContext)?
    private var isUp = false
    private var announcedCarrier: Bool?
    /// Parts of a block whose end has not come.
    private var partial: [UInt8] = []
    /// From the guest, not taken by the network yet.
    private var held: Deque<[UInt8]> = []
    private var sequence: UInt16 = 0
    private var isPumpingIn = false
    private var isPumpingOut = false
    private var retry: Scheduled<Void>?
    private var toldDrops: UInt64 = 0
    private var lastDrop = -NetworkFunction.quiet

    /// Call on `eventLoop`.
    ///
    /// - Throws: `CatalogueError` when the network takes no such member.
    init(
        name: String, device: String, target: NetworkTarget, networks: Networks, eventLoop: any EventLoop
    ) throws(CatalogueError) {
        self.name = name
        self.eventLoop = eventLoop
        kind = target.topology.rawValue
        address = MACAddress(device: device, interface: name)
        let network = try networks.network(target.network, target.topology)
        self.network = network
        let waker = Waker()
        let box = NIOLoopBound(waker, eventLoop: eventLoop)
        member = try network.join(
            device.isEmpty ? name : "\(device)/\(name)", address: address, allowsAnySource: target.allowsAnySource
        ) {
            eventLoop.execute { box.value.function?.woken() }
        }
        do {
            if let name = target.uplink {
                uplink = try TapUplink(name, network: network, eventLoop: eventLoop)
            } else {
                uplink = nil
            }
        } catch {
            network.leave(member)
            throw error
        }
        waker.function = self
        uplink?.trouble = { [weak self] trouble in
            guard let self else { return }
            context?.report(.trouble(interface: self.name, trouble))
        }
    }

    /// The way from other loops to this one.
    private final class Waker {
        weak var function: NetworkFunction?
    }

    public var backend: String {
        let counters = network.counters(member)
        let others = network.others(member).map { "\($0.name)\($0.isUp ? "" : " (down)")" }
        let peers = others.isEmpty ? "nobody else" : others.joined(separator: ", ")
        let drops = counters.dropped == 0 ? "0 dropped" : "\(counters.dropped) dropped (\(counters.dropText))"
        let frames = "frames \(counters.received) in, \(counters.sent) out"
        return "network \(network.name) with \(peers); \(address); \(frames), \(drops)"
    }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let control = ClassCode(CDC.communicationsClass, NCM.subClass, 0)
        return FunctionDeclaration(
            classCode: control,
            interfaces: [
                InterfaceDeclaration(
                    classCode: control,
                    alternates: [
                        AlternateDeclaration(
                            classDescriptors: { NCM.descriptors(firstInterface: $0) },
                            endpoints: [
                                EndpointDeclaration(
                                    .notify, .in, .interrupt, maxPacketSize: 16, intervalMilliseconds: 32)
                            ],
                            strings: [
                                DescriptorString(
                                    address.digits, descriptor: NCM.addressStringPlace.descriptor,
                                    byte: NCM.addressStringPlace.byte)
                            ])
                    ]),
                InterfaceDeclaration(
                    classCode: ClassCode(CDC.dataClass, 0, NCM.dataProtocol),
                    alternates: [
                        AlternateDeclaration(endpoints: []),
                        AlternateDeclaration(endpoints: [
                            EndpointDeclaration(.bulkIn, .in, .bulk), EndpointDeclaration(.bulkOut, .out, .bulk),
                        ]),
                    ]),
            ])
    }

    public func attach(_ context: any FunctionContext) { self.context = context }

    public func activate() {}

    public func deactivate() {
        change(isUp: false)
        settings = Settings()
    }

    public func alternateSettingChanged(interface offset: Int, to setting: UInt8) {
        guard offset == 1 else { return }
        if setting == 0 { settings = Settings() }
        change(isUp: setting == 1)
    }

    public func endpointReady(_ endpoint: EndpointKey) {
        switch endpoint {
        case .bulkIn: pumpIn()
        case .bulkOut: pumpOut()
        default: break
        }
    }

    public func shutdown() {
        retry?.cancel()
        retry = nil
        isUp = false
        uplink?.shutdown()
        network.leave(member)
        context = nil
    }

    // MARK: Link

    private func change(isUp now: Bool) {
        partial = []
        held = []
        sequence = 0
        announcedCarrier = nil
        isUp = now
        network.set(member, isUp: now, now: seconds)
        announceCarrier()
    }

    /// CONNECTION_SPEED_CHANGE goes before NETWORK_CONNECTION (NCM 1.0 section 7.1).
    private func announceCarrier() {
        guard isUp, let context, let interface = context.firstInterface else { return }
        let carrier = network.hasCarrier(member)
        guard carrier != announcedCarrier else { return }
        if announcedCarrier != nil {
            context.report(.note(interface: name, carrier ? "carrier" : "no carrier"))
        }
        announcedCarrier = carrier
        context.discard(.notify)
        if carrier {
            context.write(
                NCM.connectionSpeedChange(bitRate, interface: interface), to: .notify, endOfMessage: true)
        }
        context.write(
            NCM.networkConnection(carrier, interface: interface), to: .notify, endOfMessage: true)
    }

    /// Bits per second, as told to the guest: the wire's own, at SuperSpeed without its coding.
    private var bitRate: UInt32 {
        switch context?.speed {
        case .super: 4_000_000_000
        case .full, .low: 12_000_000
        case .high, nil: 480_000_000
        }
    }

    private func woken() {
        network.woken(member)
        announceCarrier()
        pumpOut()
        pumpIn()
    }

    private var seconds: Double { Double(eventLoop.now.uptimeNanoseconds) / 1e9 }

    // MARK: Towards the guest

    /// One block waits at the endpoint at most: what comes meanwhile goes together into the next.
    private func pumpIn() {
        guard !isPumpingIn, isUp, let context else { return }
        isPumpingIn = true
        defer { isPumpingIn = false }
        while isUp, context.queuedBytes(.bulkIn) == 0 {
            // One byte less than the host takes: a block always ends with a short packet, so that none of no length
            // follows it, which Linux counts as an error.
            var builder = NTBBuilder(
                format: settings.format, capacity: settings.inputSize - 1, maximumFrames: settings.inputFrames,
                appendsCRC: settings.appendsCRC, sequence: sequence)
            let (filter, frameSize) = (settings.filter, settings.frameSize)
            network.take(member, now: seconds) { frame in
                // Taken and forgotten: the guest does not want it.
                if frame.count > frameSize || filter.map({ !$0.admits(frame) }) == true { return true }
                return builder.add(frame)
            }
            guard !builder.isEmpty else { return }
            sequence &+= 1
            context.write(builder.finish(packetSize: packetSize), to: .bulkIn, endOfMessage: true)
        }
    }

    private var packetSize: Int { context?.speed?.bulkPacketSize ?? 64 }

    // MARK: From the guest

    private func pumpOut() {
        guard !isPumpingOut, isUp, let context else { return }
        isPumpingOut = true
        defer { isPumpingOut = false }
        sendHeld()
        while isUp, held.isEmpty, let bytes = context.read(.bulkOut) {
            guard let block = assemble(bytes) else { continue }
            let parsed = NTBParser(format: settings.format, maximumFrameSize: settings.frameSize).parse(block)
            if !parsed.faults.isEmpty { network.countMalformed(member, parsed.faults.count) }
            held = Deque(parsed.frames)
            sendHeld()
        }
        tellDrops()
    }

    private func sendHeld() {
        retry?.cancel()
        retry = nil
        guard !held.isEmpty else { return }
        held.removeFirst(network.send(held, from: member, now: seconds))
        guard !held.isEmpty else { return }
        // A peer that never listens again wakes nobody.
        retry = eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.pumpOut() }
    }

    /// Joins transfers of a host whose transfers are packets; a block ends with its length or with a short packet.
    private func assemble(_ bytes: [UInt8]) -> [UInt8]? {
        let ends = bytes.isEmpty || bytes.count % packetSize != 0
        var whole = bytes
        if !partial.isEmpty {
            whole = partial + bytes
            partial = []
        }
        if whole.isEmpty { return nil }
        let announced = settings.format.blockLength(whole) ?? whole.count
        if ends || announced > 0 && whole.count >= announced || whole.count >= NCM.maximumBlockSize { return whole }
        partial = whole
        return nil
    }

    /// Drops that are somebody's doing are told once in a burst.
    private func tellDrops() {
        let counters = network.counters(member)
        let drops = counters.spoofed &+ counters.storm &+ counters.malformed
        guard drops > toldDrops else { return }
        let now = seconds
        if now - lastDrop >= Self.quiet { context?.report(.note(interface: name, "dropped \(counters.dropText)")) }
        toldDrops = drops
        lastDrop = now
    }
}

// MARK: Requests

extension NetworkFunction {
    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard offset == 0, setup.requestType.kind == .class, setup.requestType.recipient == .interface else {
            return .stall
        }
        switch (NCM.Request(rawValue: setup.request), setup.direction) {
        case (.getNTBParameters, .in): return .acknowledge(NCM.parameters)
        case (.getNTBFormat, .in): return .acknowledge(Self.bytes(Int(settings.format.rawValue), 2))
        case (.getNTBInputSize, .in):
            return .acknowledge(
                Self.bytes(settings.inputSize, 4)
                    + (setup.length > 4 ? Self.bytes(settings.inputFrames, 2) + [0, 0] : []))
        case (.getMaxDatagramSize, .in): return .acknowledge(Self.bytes(settings.frameSize, 2))
        case (.getCRCMode, .in): return .acknowledge(Self.bytes(settings.appendsCRC ? 1 : 0, 2))
        case (.setNTBFormat, .out):
            // Only while no data flow (NCM 1.0 section 6.2.5).
            guard !isUp, let format = NTBFormat(rawValue: setup.value) else { return .stall }
            settings.format = format
        case (.setCRCMode, .out):
            guard !isUp, setup.value <= 1 else { return .stall }
            settings.appendsCRC = setup.value == 1
        case (.setEthernetPacketFilter, .out):
            settings.filter = EthernetPacketFilter(rawValue: setup.value & 0x1F)
        case (.setNTBInputSize, .out):
            // Linux sets it while data may flow.
            guard data.count == 4 || data.count == 8, let size = Self.number(data.prefix(4)),
                (NCM.minimumBlockSize...NCM.maximumBlockSize).contains(size)
            else { return .stall }
            settings.inputSize = size
            settings.inputFrames = data.count == 8 ? Self.number(data[4..<6]) ?? 0 : 0
        case (.setMaxDatagramSize, .out):
            guard data.count == 2, let size = Self.number(data[...]),
                (NCM.minimumFrameSize...NCM.maximumFrameSize).contains(size)
            else { return .stall }
            settings.frameSize = size
        default: return .stall
        }
        return .acknowledge()
    }

    private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.isEmpty ? nil : bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
