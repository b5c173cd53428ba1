import Foundation
import NIOCore
import NIOPosix
import ServiceContracts

/// A service as one device's directory has it: its servers, and its contract once the document has been read.
///
/// Confined to its event loop.
final class ServiceEntry {
    /// What is known of the document.
    enum Contract: Sendable {
        case unknown
        /// Why there is none.
        case none(String)
        case read(any ServiceContract, ServiceDescription, document: [UInt8])
    }

    private static let documentTimeout = TimeAmount.seconds(5)
    /// A document is asked for again, when somebody wants it, after this time.
    private static let lifetime = TimeAmount.seconds(30)
    private static let retryTime = TimeAmount.seconds(2)

    let declaration: ServiceDeclaration
    let cluster: UpstreamCluster
    private(set) var contract = Contract.unknown
    /// The contract is another one, or there is none any more.
    var changed: (() -> Void)?
    private let proxy: UpstreamProxy
    private var readAt: NIODeadline?
    private var isReading = false
    private var waiting: [() -> Void] = []

    init(_ declaration: ServiceDeclaration, cluster: UpstreamCluster, proxy: UpstreamProxy) {
        self.declaration = declaration
        self.cluster = cluster
        self.proxy = proxy
    }

    /// Calls `body` when the contract is as fresh as it need be.
    func refresh(_ body: @escaping () -> Void) {
        if !isReading, let readAt {
            var lifetime = Self.retryTime
            if case .read = contract { lifetime = Self.lifetime }
            if NIODeadline.now() - readAt < lifetime { return body() }
        }
        waiting.append(body)
        guard !isReading else { return }
        isReading = true
        if case .file(let path) = declaration.document {
            readFile(path)
        } else {
            read(declaration.candidates[...], reasons: [])
        }
    }

    private func read(_ candidates: ArraySlice<(upstream: Upstream, target: String)>, reasons: [String]) {
        guard let candidate = candidates.first else {
            return finish(.none(reasons.joined(separator: "; ")))
        }
        let fetched = proxy.fetch(
            candidate.upstream, method: "GET", target: candidate.target, headers: [:], body: [],
            limit: ServiceDocument.maximumBytes, timeout: Self.documentTimeout)
        fetched.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let answer) where (200..<300).contains(answer.status):
                parse(answer.body) { [self] contract, reason in
                    if let contract {
                        finish(contract)
                    } else {
                        read(candidates.dropFirst(), reasons: reasons + ["\(candidate.target): \(reason)"])
                    }
                }
            case .success(let answer):
                read(candidates.dropFirst(), reasons: reasons + ["\(candidate.target): status \(answer.status)"])
            case .failure(let error):
                let reason = "\(candidate.upstream.text): \(UpstreamFailure.text(error))"
                // Nobody is there: the next place on the same server is no better.
                if UpstreamFailure.isConnectFailure(error) { return finish(.none(reason)) }
                read(candidates.dropFirst(), reasons: reasons + ["\(candidate.target): \(reason)"])
            }
        }
    }

    /// Away from the loop: a large document takes as long as thousands of transfers.
    private func parse(_ bytes: [UInt8], _ done: @escaping (Contract?, String) -> Void) {
        NIOThreadPool.singleton.runIfActive(eventLoop: proxy.eventLoop) {
            let contract = try ServiceDocument.read(bytes)
            return Contract.read(contract, contract.description, document: bytes)
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let contract): done(contract, "")
            case .failure(let error): done(nil, "\(error)")
            }
        }
    }

    private func readFile(_ path: String) {
        NIOThreadPool.singleton.runIfActive(eventLoop: proxy.eventLoop) { () throws -> [UInt8] in
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            return [UInt8](try file.read(upToCount: ServiceDocument.maximumBytes + 1) ?? Data())
        }.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let bytes):
                parse(bytes) { [self] contract, reason in
                    finish(contract ?? .none("\(path): \(reason)"))
                }
            case .failure(let error):
                finish(.none("\(path): \((error as NSError).localizedDescription)"))
            }
        }
    }

    private func finish(_ new: Contract) {
        let isNews =
            switch (contract, new) {
            case (.unknown, _), (.none, .none): false
            case (.read(_, _, let old), .read(_, _, let new)): old != new
            default: true
            }
        contract = new
        readAt = .now()
        isReading = false
        let bodies = waiting
        waiting = []
        if isNews { changed?() }
        for body in bodies { body() }
    }
}
