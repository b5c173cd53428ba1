import Foundation

/// Asks whether somebody listens on a UNIX socket, by connecting to it.
enum SocketProbe {
    static func isListening(_ path: String) throws -> Bool {
        // Not blocking: a listener whose queue is full is one all the same.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else {
            throw ControlServerError.system("open a socket for", path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        if try withUNIXAddress(path, { connect(descriptor, $0, $1) }) == 0 { return true }
        switch errno {
        case ECONNREFUSED, ENOENT: return false
        case EAGAIN: return true
        default: throw ControlServerError.system("connect to", path, String(cString: strerror(errno)))
        }
    }
}
