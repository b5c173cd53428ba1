import NIOCore
import NIOPosix
import ServiceContracts

/// What one device's guest may know and call: the services it was given, and no others.
///
/// Paths below `/.well-known/2virt/services`: the list; `/NAME` its description; `/NAME/document`; and
/// `POST /NAME/operations/OPERATION` with the arguments as a JSON object. Confined to its event loop.
final class ServiceDirectory {
    static let path = "/.well-known/2virt/services"
    /// Bytes of a call's arguments.
    static let maximumBody = 1 << 20
    /// Bytes of a service's answer.
    private static let maximumAnswer = 8 << 20
    private static let callTimeout = TimeAmount.seconds(60)
    private static let maximumCalls = 64

    struct Reply: Sendable {
        var status: Int
        var contentType = "application/json"
        var body: [UInt8]
    }

    private(set) var entries: [ServiceEntry] = []
    /// Byte services, which are listed and reached by CONNECT.
    var streams: [ByteService] = []
    /// Another list, contract or health.
    var changed: (() -> Void)?
    private(set) var serial: UInt32 = 0
    private let proxy: UpstreamProxy
    private var calls = 0

    init(proxy: UpstreamProxy) { self.proxy = proxy }

    func entry(_ name: String) -> ServiceEntry? {
        entries.first { $0.declaration.name.lowercased() == name.lowercased() }
    }

    func add(_ entry: ServiceEntry) {
        entry.changed = { [weak self] in self?.tell() }
        entries.append(entry)
        tell()
    }

    func remove(_ name: String) {
        entries.removeAll { entry in
            guard entry.declaration.name == name else { return false }
            entry.changed = nil
            return true
        }
        tell()
    }

    func tell() {
        serial &+= 1
        changed?()
    }

    /// Asks for documents that are due, so that a watching guest hears of what has changed.
    func refresh() {
        for entry in entries { entry.refresh {} }
    }

    // MARK: Requests

    func handle(_ request: ProxyRequest, body: [UInt8], _ reply: @escaping (Reply) -> Void) {
        let path = request.target.prefix { $0 != "?" }
        let parts = path.dropFirst(Self.path.count).split(separator: "/").map(Self.decoded)
        let isCall = parts.count == 3 && parts[1] == "operations"
        guard request.method == (isCall ? .POST : .GET) else {
            return reply(Self.failure(405, "bad-request", "\(request.method) is not for \(path.prefix(200))"))
        }
        if parts.isEmpty { return list(reply) }
        guard let entry = entry(parts[0]) else {
            if parts.count == 1, let stream = streams.first(where: { $0.name == parts[0] }) {
                return reply(Reply(status: 200, body: Self.summary(of: stream).text))
            }
            return reply(
                Self.failure(404, "no-such-service", "service '\(parts[0].prefix(80))' was not given to this device"))
        }
        switch (parts.count, parts.count > 1 ? parts[1] : "") {
        case (1, _): entry.refresh { [self] in describe(entry, reply) }
        case (2, "document"): entry.refresh { reply(Self.document(entry)) }
        case (3, "operations"): entry.refresh { [self] in call(entry, parts[2], body, reply) }
        default: reply(Self.failure(404, "bad-request", "there is nothing at \(path.prefix(200))"))
        }
    }

    private static func decoded(_ part: Substring) -> String { part.removingPercentEncoding ?? String(part) }

    private func list(_ reply: @escaping (Reply) -> Void) {
        var left = entries.count + 1
        func done() {
            left -= 1
            guard left == 0 else { return }
            let services = entries.map(Self.summary) + streams.map(Self.summary)
            let list: JSON = ["serial": .integer(Int64(serial)), "services": .array(services)]
            reply(Reply(status: 200, body: list.text))
        }
        for entry in entries { entry.refresh(done) }
        done()
    }

    /// One entry of the list.
    private static func summary(_ entry: ServiceEntry) -> JSON {
        var result: [String: JSON] = ["name": .string(entry.declaration.name)]
        var description = entry.declaration.description ?? ""
        switch entry.contract {
        case .read(_, let read, _, let trouble):
            result["kind"] = .string(read.style.rawValue)
            result["operations"] = .integer(Int64(read.operations.count))
            if description.isEmpty { description = read.description }
            if let trouble { result["documentTrouble"] = .string("what it imports is not whole: \(trouble)") }
        case .none(let reason):
            result["kind"] = "http"
            // Where a document was promised, its absence is worth a word.
            if entry.declaration.document != .discovered { result["documentTrouble"] = .string(reason) }
        case .unknown: result["kind"] = "http"
        }
        result["description"] = .string(description)
        result["health"] = entry.cluster.upCount > 0 ? "up" : "down"
        if entry.cluster.upCount == 0 { result["healthTrouble"] = .string(entry.cluster.downText) }
        return .object(result)
    }

    private static func summary(of stream: ByteService) -> JSON {
        ["name": .string(stream.name), "kind": "stream", "description": ""]
    }

    /// Thousands of operations take their time: not on the loop.
    private func describe(_ entry: ServiceEntry, _ reply: @escaping (Reply) -> Void) {
        let summary = Self.summary(entry)
        guard case .read(_, let description, _, _) = entry.contract, let members = summary.object else {
            return reply(Reply(status: 200, body: summary.text))
        }
        aside(reply) {
            var members = members
            members["operations"] = .array(description.operations.map(JSON.init))
            return Reply(status: 200, body: JSON.object(members).text)
        }
    }

    /// Makes a reply on another thread.
    private func aside(_ reply: @escaping (Reply) -> Void, _ body: @escaping @Sendable () -> Reply) {
        NIOThreadPool.singleton.runIfActive(eventLoop: proxy.eventLoop, body).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let made): reply(made)
            case .failure(let error): reply(Self.failure(500, "bad-request", "\(error)"))
            }
        }
    }

    private static func document(_ entry: ServiceEntry) -> Reply {
        switch entry.contract {
        case .read(_, let description, let bytes, _):
            // RFC 9512 names YAML.
            let isJSON = bytes.first { $0 > 0x20 } == UInt8(ascii: "{")
            let type = description.style == .soap ? "text/xml" : isJSON ? "application/json" : "application/yaml"
            return Reply(status: 200, contentType: type, body: bytes)
        case .none(let reason): return noDocument(entry, reason)
        case .unknown: return noDocument(entry, "it has not been read")
        }
    }

    private static func noDocument(_ entry: ServiceEntry, _ reason: String) -> Reply {
        failure(409, "no-document", "service '\(entry.declaration.name)' has no WSDL or OpenAPI document: \(reason)")
    }

    // MARK: Calls

    private func call(
        _ entry: ServiceEntry, _ operation: String, _ body: [UInt8], _ reply: @escaping (Reply) -> Void
    ) {
        let contract: any ServiceContract
        switch entry.contract {
        case .read(let read, _, _, _): contract = read
        case .none(let reason): return reply(Self.noDocument(entry, reason))
        case .unknown: return reply(Self.noDocument(entry, "it has not been read"))
        }
        guard calls < Self.maximumCalls else {
            return reply(Self.failure(503, "unreachable", "more than \(Self.maximumCalls) calls at once"))
        }
        calls += 1
        let done = { [self] (made: Reply) in
            calls -= 1
            reply(made)
        }
        NIOThreadPool.singleton.runIfActive(eventLoop: proxy.eventLoop) { () -> Result<ContractRequest, CallRefusal> in
            Self.request(contract, operation, body)
        }.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(.success(let request)): send(request, of: operation, contract, to: entry, done)
            case .success(.failure(let refusal)): done(refusal.reply)
            case .failure(let error): done(Self.failure(500, "bad-request", "\(error)"))
            }
        }
    }

    private struct CallRefusal: Error {
        let reply: Reply
    }

    private static func request(
        _ contract: any ServiceContract, _ operation: String, _ body: [UInt8]
    ) -> Result<ContractRequest, CallRefusal> {
        do throws(ContractError) {
            guard let arguments = try body.isEmpty ? [:] : JSON(parsing: body).object else {
                return .failure(CallRefusal(reply: failure(400, "bad-request", "the arguments are not a JSON object")))
            }
            return .success(try contract.request(operation, arguments))
        } catch {
            return .failure(CallRefusal(reply: failure(error)))
        }
    }

    private func send(
        _ request: ContractRequest, of operation: String, _ contract: any ServiceContract, to entry: ServiceEntry,
        _ done: @escaping (Reply) -> Void
    ) {
        guard let index = entry.cluster.pick(excluding: []) else {
            return done(Self.failure(503, "unreachable", "service '\(entry.declaration.name)' has no server"))
        }
        let upstream = entry.cluster.members[index].upstream
        var base = upstream.basePath.isEmpty ? contract.path : upstream.basePath
        if base.isEmpty, request.target.isEmpty { base = "/" }
        proxy.fetch(
            upstream, method: request.method, target: base + request.target, headers: request.headers,
            body: request.body, limit: Self.maximumAnswer, timeout: Self.callTimeout
        ).assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let answer):
                entry.cluster.succeeded(index)
                aside(done) {
                    do throws(ContractError) {
                        return Reply(status: 200, body: try contract.answer(to: operation, answer).text)
                    } catch {
                        return Self.failure(error)
                    }
                }
            case .failure(let error):
                let reason = UpstreamFailure.text(error)
                if UpstreamFailure.isConnectFailure(error) {
                    entry.cluster.failed(index, reason)
                } else {
                    entry.cluster.suspect(index)
                }
                done(Self.failure(503, "unreachable", "service '\(entry.declaration.name)': \(reason)"))
            }
        }
    }

    static func failure(_ status: Int, _ kind: String, _ message: String, _ more: [String: JSON] = [:]) -> Reply {
        let error = JSON.object(
            ["kind": .string(kind), "message": .string(message)].merging(more) { first, _ in first })
        return Reply(status: status, body: JSON.object(["error": error]).text)
    }

    private static func failure(_ error: ContractError) -> Reply {
        switch error {
        case .noSuchOperation: failure(404, "no-such-operation", "\(error)")
        case .badArgument: failure(400, "bad-argument", "\(error)")
        case .badJSON: failure(400, "bad-request", "the arguments: \(error)")
        case .fault(let code, _, let detail):
            failure(502, "fault", "\(error)", ["code": .string(code), "detail": .string(detail)])
        case .refused(let status, _): failure(502, "refused", "\(error)", ["status": .integer(Int64(status))])
        case .badAnswer, .badXML, .badYAML, .tooLarge, .badDocument: failure(502, "bad-answer", "\(error)")
        }
    }
}

extension JSON {
    /// An operation as guests read it.
    fileprivate init(_ operation: ServiceOperation) {
        self = [
            "name": .string(operation.name), "description": .string(operation.description),
            "input": .array(operation.input.map(JSON.init)), "output": .array(operation.output.map(JSON.init)),
        ]
    }

    fileprivate init(_ field: ServiceField) {
        var members: [String: JSON] = [
            "name": .string(field.name), "type": .string(field.type), "required": .bool(field.isRequired),
            "repeated": .bool(field.isRepeated),
        ]
        if let description = field.description { members["description"] = .string(description) }
        if let values = field.values { members["values"] = .array(values.map { .string($0) }) }
        if let fields = field.fields { members["fields"] = .array(fields.map(JSON.init)) }
        self = .object(members)
    }
}
