import Logging
import NIOCore
import NIOHTTP2
import USBClasses
import USBCore
import USBDevice

/// The Web Service interface: HTTP/2 with prior knowledge over a bulk pipe (RFC 9113), each request proxied to a cluster.
///
/// A session starts with OPEN or with the first bytes after activation, and ends with CLOSE, another OPEN, deactivation
/// or an error; after an error the guest's bytes are dropped until OPEN.
public final class WebServiceFunction: Function {
    private enum Session {
        case none
        case open(BulkChannel)
        case failed
    }

    public let name: String
    public let kind: String

    private let eventLoop: any EventLoop
    private let proxy: UpstreamProxy
    /// The interface's own name is a byte service, not an HTTP one.
    private let isByteService: Bool
    /// The interface stands for no service of its own, only for those it was given.
    private let isDirectory: Bool
    private var context: (any FunctionContext)?
    private var session = Session.none
    private var refreshing: RepeatedTask?
    private static let refreshTime = TimeAmount.seconds(15)

    /// Call on `eventLoop`.
    ///
    /// - Parameters:
    ///   - services: names, besides the interface's own, under which guests may address it.
    ///   - streams: byte services that guests may CONNECT to by their names.
    public convenience init(
        name: String, upstreams: [Upstream], services: [String], streams: [ByteService] = [],
        eventLoop: any EventLoop, logger: Logger
    ) throws(CatalogueError) {
        try self.init(
            name: name, upstreams: upstreams, services: services, streams: streams, eventLoop: eventLoop,
            logger: logger, timing: UpstreamCluster.Timing())
    }

    convenience init(
        name: String, upstreams: [Upstream], services: [String], streams: [ByteService] = [],
        eventLoop: any EventLoop, logger: Logger, timing: UpstreamCluster.Timing
    ) throws(CatalogueError) {
        guard !upstreams.isEmpty else { throw .noUpstreams(interface: name) }
        self.init(
            name: name, kind: "web-service", upstreams: upstreams, services: [name] + services, streams: streams,
            eventLoop: eventLoop, logger: logger, timing: timing)
    }

    /// An interface that is one byte service and nothing else.
    ///
    /// - Parameter kind: of the catalogue.
    public convenience init(kind: String, service: ByteService, eventLoop: any EventLoop, logger: Logger) {
        self.init(
            name: service.name, kind: kind, upstreams: [], services: [], streams: [service], eventLoop: eventLoop,
            logger: logger, timing: UpstreamCluster.Timing())
    }

    /// An interface that is a directory of the services it is given, and the way to them.
    public convenience init(name: String, eventLoop: any EventLoop, logger: Logger) {
        self.init(
            name: name, kind: "service-directory", upstreams: [], services: [], streams: [], eventLoop: eventLoop,
            logger: logger, timing: UpstreamCluster.Timing())
    }

    private init(
        name: String, kind: String, upstreams: [Upstream], services: [String], streams: [ByteService],
        eventLoop: any EventLoop, logger: Logger, timing: UpstreamCluster.Timing
    ) {
        eventLoop.preconditionInEventLoop()
        self.name = name
        self.kind = kind
        self.eventLoop = eventLoop
        isByteService = upstreams.isEmpty && !streams.isEmpty
        isDirectory = upstreams.isEmpty && streams.isEmpty
        let cluster = UpstreamCluster(upstreams, eventLoop: eventLoop, timing: timing)
        proxy = UpstreamProxy(
            services: services, byteServices: streams, cluster: cluster, eventLoop: eventLoop, logger: logger)
        proxy.note = { [weak self] in self?.note($0) }
        proxy.trouble = { [weak self] in self?.byteServicesChanged($0) }
        cluster.onChange = { [weak self] in self?.clusterChanged($0) }
        proxy.directory.streams = streams
        if let first = upstreams.first {
            proxy.directory.add(
                ServiceEntry(ServiceDeclaration(name: name, upstream: first), cluster: cluster, proxy: proxy))
        }
        proxy.directory.changed = { [weak self] in self?.directoryChanged() }
    }

    public var backend: String {
        if isByteService { return proxy.byteServiceText }
        let given = givenNames
        if isDirectory { return given.isEmpty ? "no services" : given.joined(separator: ", ") }
        return proxy.cluster.text + (given.isEmpty ? "" : ", \(given.joined(separator: ", "))")
    }

    // MARK: Services

    private var givenNames: [String] { proxy.directory.entries.map(\.declaration.name).filter { $0 != name } }

    /// Gives the guest these services, and takes back those that it has and that are not among them.
    public func give(_ services: [ServiceDeclaration]) {
        let directory = proxy.directory
        for entry in directory.entries
        where entry.declaration.name != name && !services.contains(entry.declaration) {
            entry.cluster.shutdown()
            directory.remove(entry.declaration.name)
        }
        for service in services where directory.entry(service.name) == nil {
            let cluster = UpstreamCluster([service.upstream], eventLoop: eventLoop, timing: proxy.cluster.timing)
            cluster.onChange = { [weak self] in self?.givenChanged(service.name, $0) }
            directory.add(ServiceEntry(service, cluster: cluster, proxy: proxy))
        }
    }

    private func givenChanged(_ service: String, _ change: UpstreamCluster.Change) {
        switch change {
        case .down(let upstream, let reason): note("service \(service): \(upstream) down: \(reason)")
        case .up(let upstream): note("service \(service): \(upstream) up")
        }
        proxy.directory.tell()
    }

    public func declaration(at speed: Speed) -> FunctionDeclaration {
        let code = ClassCode(
            WebServiceProtocol.interfaceClass, WebServiceProtocol.interfaceSubClass,
            WebServiceProtocol.interfaceProtocol)
        return FunctionDeclaration(
            classCode: code,
            interfaces: [
                InterfaceDeclaration(
                    classCode: code,
                    endpoints: [
                        EndpointDeclaration(.bulkIn, .in, .bulk), EndpointDeclaration(.bulkOut, .out, .bulk),
                        EndpointDeclaration(.notify, .in, .interrupt, maxPacketSize: 16, intervalMilliseconds: 32),
                    ])
            ], compatibleID: "WINUSB")
    }

    public func attach(_ context: FunctionContext) {
        self.context = context
    }

    public func activate() {
        session = .none
    }

    public func deactivate() {
        refreshing?.cancel()
        refreshing = nil
        end()
    }

    public func endpointReady(_ endpoint: EndpointKey) {
        switch endpoint {
        case .bulkOut:
            if case .none = session { start() }
            switch session {
            case .open(let channel): channel.inputReady()
            case .none, .failed: dropInput()
            }
        case .bulkIn:
            if case .open(let channel) = session { channel.outputReady() }
        default: break
        }
    }

    public func control(_ setup: SetupPacket, data: [UInt8], interface offset: Int) -> ControlReply {
        guard setup.requestType.kind == .vendor, setup.requestType.recipient == .interface else { return .stall }
        switch (WebServiceProtocol.Request(rawValue: setup.request), setup.direction) {
        case (.hello, .in):
            let flags =
                isByteService
                ? WebServiceProtocol.isByteService : isDirectory ? WebServiceProtocol.isDirectory : 0
            return .acknowledge(WebServiceProtocol.hello(flags: flags))
        case (.services, .in):
            return .acknowledge(serviceList)
        case (.open, .out):
            guard context?.isActive == true else { return .stall }
            end()
            dropInput()
            context?.discard(.bulkIn)
            start()
            return .acknowledge()
        case (.close, .out):
            if case .open = session { note("HTTP/2 session closed by the guest") }
            end()
            dropInput()
            return .acknowledge()
        case (.release, .out) where setup.value <= 1:
            context?.report(.releaseRequested(interface: setup.value == 0 ? nil : name))
            return .acknowledge()
        default:
            return .stall
        }
    }

    public func shutdown() {
        end()
        refreshing?.cancel()
        refreshing = nil
        proxy.shutdown()
        context = nil
    }

    public func whenDrained(_ body: @escaping () -> Void) { proxy.whenEnded(body) }

    /// Tells a watching guest that the services behind this interface have changed.
    private func directoryChanged() {
        context?.discard(.notify)
        context?.write(
            WebServiceProtocol.directoryChanged(serial: proxy.directory.serial), to: .notify, endOfMessage: true)
    }

    /// The list of 2010: a description and where to ask for more, each ended by NUL.
    private var serviceList: [UInt8] {
        var list: [UInt8] = []
        for entry in proxy.directory.entries {
            let declaration = entry.declaration
            list += Array((declaration.description ?? declaration.name).utf8.filter { $0 != 0 }) + [0]
            list += Array("\(ServiceDirectory.path)/\(declaration.name)".utf8) + [0]
        }
        return list
    }

    /// While a guest has a session, documents are looked at from time to time: it hears of what has changed.
    private func watchDocuments() {
        guard refreshing == nil else { return }
        let function = NIOLoopBound(WeakFunction(self), eventLoop: eventLoop)
        refreshing = eventLoop.scheduleRepeatedTask(
            initialDelay: Self.refreshTime, delay: Self.refreshTime
        ) { task in
            guard let function = function.value.function else { return task.cancel() }
            function.refreshDocuments()
        }
    }

    private func refreshDocuments() {
        for entry in proxy.directory.entries where entry.declaration.name != name { entry.refresh {} }
    }

    // MARK: Session

    private func start() {
        guard let context, context.isActive else { return }
        let channel = BulkChannel(usb: context, input: .bulkOut, output: .bulkIn, eventLoop: eventLoop)
        let proxy = NIOLoopBound(proxy, eventLoop: eventLoop)
        let http2 = NIOHTTP2Handler(
            mode: .server, eventLoop: eventLoop, connectionConfiguration: HTTP2Limits.connection,
            streamConfiguration: HTTP2Limits.stream
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(ProxyStream(proxy: proxy.value))
            }
        }
        let end = SessionEndHandler { [weak self, weak channel] error in
            self?.sessionEnded(channel, error)
        }
        do {
            try channel.pipeline.syncOperations.addHandler(http2)
            try channel.pipeline.syncOperations.addHandler(end)
        } catch {
            fail("\(error)")
            return
        }
        session = .open(channel)
        watchDocuments()
        note("HTTP/2 session opened")
        channel.activate()
    }

    /// Ends the session, if any, without calling it a failure.
    private func end() {
        guard case .open(let channel) = session else {
            session = .none
            return
        }
        session = .none
        channel.close(promise: nil)
    }

    /// The session ended by itself.
    private func sessionEnded(_ channel: BulkChannel?, _ error: (any Error)?) {
        guard case .open(let current) = session, current === channel else { return }
        fail(error.map { HTTP2Limits.text($0) } ?? "closed")
    }

    private func fail(_ reason: String) {
        session = .failed
        note("HTTP/2 session ended: \(reason)")
        dropInput()
    }

    private func dropInput() {
        while context?.read(.bulkOut) != nil {}
    }

    // MARK: Operator

    private func note(_ text: String) {
        context?.report(.note(interface: name, text))
    }

    private func byteServicesChanged(_ trouble: String?) {
        // With a cluster, the trouble that an operator looks for is the cluster's.
        if isByteService { context?.report(.trouble(interface: name, trouble)) }
    }

    private func clusterChanged(_ change: UpstreamCluster.Change) {
        switch change {
        case .down(let upstream, let reason):
            note("upstream \(upstream) down: \(reason)")
            if proxy.cluster.upCount == 0 {
                context?.report(.trouble(interface: name, "no upstream is up: \(proxy.cluster.downText)"))
            }
        case .up(let upstream):
            note("upstream \(upstream) up")
            if proxy.cluster.upCount == 1 { context?.report(.trouble(interface: name, nil)) }
        }
        proxy.directory.tell()
    }
}

/// Lets a Sendable closure refer to a function without keeping it.
private struct WeakFunction {
    weak var function: WebServiceFunction?
    init(_ function: WebServiceFunction) { self.function = function }
}
