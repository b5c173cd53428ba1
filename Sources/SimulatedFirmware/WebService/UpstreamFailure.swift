import AsyncHTTPClient
import NIOCore
import NIOPosix

/// How a request to an upstream failed, in the operator's words.
enum UpstreamFailure {
    /// A few words without types and code names.
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return text(first.error) }
            if error.dnsAError != nil || error.dnsAAAAError != nil { return "host '\(error.host)' not found" }
            return "cannot connect"
        case let error as IOError: return SocketFile.reason(error.errnoCode)
        case let error as HTTPClientError: return words(error)
        case let error as ChannelError:
            switch error {
            case .connectTimeout: return "connection timed out"
            case .eof, .ioOnClosedChannel, .alreadyClosed, .inputClosed: return "connection closed"
            default: return "\(error)"
            }
        case is ResponseTimeout: return "no answer in time"
        default: return "\(error)"
        }
    }

    /// Whether it is about time.
    static func isTimeout(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError:
            error == .connectTimeout || error == .readTimeout || error == .getConnectionFromPoolTimeout
                || error == .deadlineExceeded
        case let error as ChannelError:
            if case .connectTimeout = error { true } else { false }
        default: error is ResponseTimeout
        }
    }

    /// Whether no connection could be made, so that the upstream cannot have seen the request.
    static func isConnectFailure(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as IOError: error.errnoCode == ECONNREFUSED || error.errnoCode == ENOENT
        case let error as HTTPClientError: error == .connectTimeout || error == .getConnectionFromPoolTimeout
        case let error as ChannelError:
            if case .connectTimeout = error { true } else { false }
        default: false
        }
    }

    private static func words(_ error: HTTPClientError) -> String {
        switch error {
        case .remoteConnectionClosed: "connection closed before an answer"
        case .connectTimeout, .getConnectionFromPoolTimeout: "connection timed out"
        case .readTimeout, .deadlineExceeded: "no answer in time"
        default: error.shortDescription
        }
    }
}

/// An upstream has the whole request and sends no response head.
struct ResponseTimeout: Error {}
