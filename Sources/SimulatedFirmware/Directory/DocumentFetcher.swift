import Foundation
import NIOCore
import NIOPosix
import ServiceContracts

/// Reads one service's document, and those that it imports.
///
/// Confined to its event loop; parsing is not done there: a large document takes as long as thousands of transfers.
struct DocumentFetcher {
    private static let timeout = TimeAmount.seconds(5)
    /// For all that a document imports.
    private static let importTime = TimeAmount.seconds(10)

    let declaration: ServiceDeclaration
    let proxy: UpstreamProxy

    enum Outcome: Sendable {
        case read(any ServiceContract, ServiceDescription, document: [UInt8], trouble: String?)
        /// Nobody is there: the next place on the same server is no better.
        case unreachable(String)
        case failed(String)
    }

    private struct Status: Error {
        let code: Int
    }

    func read(_ place: DocumentPlace, _ done: @escaping (Outcome) -> Void) {
        bytes(of: place, limit: ServiceDocument.maximumBytes, timeout: Self.timeout).assumeIsolated().whenComplete {
            switch $0 {
            case .success(let document): open(document, at: place, done)
            case .failure(let error):
                if case .http(let upstream, _) = place, UpstreamFailure.isConnectFailure(error) {
                    return done(.unreachable("\(upstream.text): \(UpstreamFailure.text(error))"))
                }
                done(.failed("\(place.name): \(Self.text(error, of: place))"))
            }
        }
    }

    private func open(_ document: [UInt8], at place: DocumentPlace, _ done: @escaping (Outcome) -> Void) {
        aside({ try ServiceDocument.open(document, at: place.location) }) { result in
            switch result {
            case .success(.whole(let contract)):
                describe(document, place, done) { (contract, nil) }
            case .success(.wsdl(let documents)):
                fetch(documents, document, place, until: .now() + Self.importTime, done)
            case .failure(let error): done(.failed("\(place.name): \(error)"))
            }
        }
    }

    /// One import after the other, until there is nothing more to fetch.
    private func fetch(
        _ documents: WSDLDocuments, _ document: [UInt8], _ place: DocumentPlace, until deadline: NIODeadline,
        _ done: @escaping (Outcome) -> Void
    ) {
        var documents = documents
        while let location = documents.next() {
            let source: DocumentPlace
            do throws(DocumentRefusal) {
                source = try place.imported(location, by: declaration)
            } catch {
                documents.miss(location, "\(error)")
                continue
            }
            let left = deadline - .now()
            guard left > .zero else {
                documents.miss(location, "the documents before it took too long")
                continue
            }
            let limit = min(ServiceDocument.maximumBytes, documents.room)
            let before = documents
            bytes(of: source, limit: limit, timeout: min(left, Self.timeout)).assumeIsolated().whenComplete { result in
                aside({
                    var documents = before
                    switch result {
                    case .success(let bytes): documents.add(bytes, at: location)
                    case .failure(let error): documents.miss(location, Self.text(error, of: source))
                    }
                    return documents
                }) { result in
                    switch result {
                    case .success(let documents): fetch(documents, document, place, until: deadline, done)
                    case .failure(let error): done(.failed("\(place.name): \(error)"))
                    }
                }
            }
            return
        }
        let whole = documents
        describe(document, place, done) {
            var whole = whole
            let contract = try whole.contract()
            return (contract, whole.troubles.isEmpty ? nil : whole.troubles.joined(separator: "; "))
        }
    }

    private func describe(
        _ document: [UInt8], _ place: DocumentPlace, _ done: @escaping (Outcome) -> Void,
        _ contract: @escaping @Sendable () throws -> (any ServiceContract, String?)
    ) {
        aside({
            let (contract, trouble) = try contract()
            return Outcome.read(contract, contract.description, document: document, trouble: trouble)
        }) { result in
            switch result {
            case .success(let outcome): done(outcome)
            case .failure(let error): done(.failed("\(place.name): \(error)"))
            }
        }
    }

    private func bytes(of place: DocumentPlace, limit: Int, timeout: TimeAmount) -> EventLoopFuture<[UInt8]> {
        switch place {
        case .http(let upstream, let target):
            proxy.fetch(
                upstream, method: "GET", target: target, headers: [:], body: [], limit: limit, timeout: timeout
            ).flatMapThrowing { answer in
                guard (200..<300).contains(answer.status) else { throw Status(code: answer.status) }
                return answer.body
            }
        case .file(let path):
            NIOThreadPool.singleton.runIfActive(eventLoop: proxy.eventLoop) {
                let file = try FileHandle(forReadingFrom: URL(filePath: path))
                defer { try? file.close() }
                return [UInt8](try file.read(upToCount: limit + 1) ?? Data())
            }
        }
    }

    private func aside<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value, _ done: @escaping (Result<Value, any Error>) -> Void
    ) {
        NIOThreadPool.singleton.runIfActive(eventLoop: proxy.eventLoop, work).assumeIsolated().whenComplete(done)
    }

    private static func text(_ error: any Error, of place: DocumentPlace) -> String {
        if let status = error as? Status { return "status \(status.code)" }
        return switch place {
        case .http: UpstreamFailure.text(error)
        case .file: (error as NSError).localizedDescription
        }
    }
}

extension DocumentPlace {
    /// As reasons name it: on a service's own server the path is enough.
    fileprivate var name: String {
        switch self {
        case .http(_, let target): target
        case .file(let path): path
        }
    }
}
