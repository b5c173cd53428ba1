import Foundation

/// Who sits here, as events name an actor: `root@pts/1`.
enum OperatorName {
    static var current: String {
        let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid\(geteuid())"
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            guard let name = ttyname(descriptor) else { continue }
            let path = String(cString: name)
            return user + "@" + (path.hasPrefix("/dev/") ? String(path.dropFirst(5)) : path)
        }
        return "\(user)@pid\(getpid())"
    }
}
