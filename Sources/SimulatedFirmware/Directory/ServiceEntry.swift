import NIOCore
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
        /// `trouble` names imports that could not be had.
        case read(any ServiceContract, ServiceDescription, document: [UInt8], trouble: String?)
    }

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
        read(declaration.candidates[...], reasons: [])
    }

    private func read(_ candidates: ArraySlice<DocumentPlace>, reasons: [String]) {
        guard let candidate = candidates.first else { return finish(.none(reasons.joined(separator: "; "))) }
        DocumentFetcher(declaration: declaration, proxy: proxy).read(candidate) { [self] outcome in
            switch outcome {
            case .read(let contract, let description, let document, let trouble):
                finish(.read(contract, description, document: document, trouble: trouble))
            case .unreachable(let reason): finish(.none(reason))
            case .failed(let reason): read(candidates.dropFirst(), reasons: reasons + [reason])
            }
        }
    }

    private func finish(_ new: Contract) {
        let isNews =
            switch (contract, new) {
            case (.unknown, _), (.none, .none): false
            case (.read(_, let was, let old, _), .read(_, let now, let new, _)): old != new || was != now
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
