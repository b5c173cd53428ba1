import Foundation

/// The directory of a control socket: whoever can write to it can pose as the engine, so it must be the user's own.
public enum SocketDirectory {
    /// Longest path that `sockaddr_un` holds with its terminator.
    static let maximumPathLength = 107

    /// Makes the directory of `socket` (mode 0700) where it is missing, then checks it as `check` does.
    public static func prepare(forSocket socket: String) throws(ControlSocketError) {
        try validate(socket)
        let directory = parent(of: socket)
        try makeDirectory(directory)
        try checkDirectory(directory)
    }

    /// Checks that only this user and root can have put something at `socket`. A missing socket is no error, a missing
    /// directory is `missing`.
    public static func check(socket: String) throws(ControlSocketError) {
        try validate(socket)
        try checkDirectory(parent(of: socket))
        var status = stat()
        guard lstat(socket, &status) == 0 else {
            if errno == ENOENT { return }
            throw .system(path: socket, operation: "lstat", code: errno, message: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(socket) }
        guard isTrusted(status.st_uid) else {
            throw .foreignSocket(socket, owner: status.st_uid, user: geteuid())
        }
    }

    private static func validate(_ socket: String) throws(ControlSocketError) {
        guard socket.hasPrefix("/"), !socket.utf8.contains(0) else { throw .notAbsolute(socket) }
        guard socket.utf8.count <= maximumPathLength else { throw .pathTooLong(socket, bytes: socket.utf8.count) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// `mkdir -p` with mode 0700 for what it makes.
    private static func makeDirectory(_ path: String) throws(ControlSocketError) {
        if path == "/" || mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        if errno == ENOENT {
            try makeDirectory(parent(of: path))
            if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        }
        throw .system(path: path, operation: "mkdir", code: errno, message: String(cString: strerror(errno)))
    }

    private static func checkDirectory(_ path: String) throws(ControlSocketError) {
        var link = stat()
        guard lstat(path, &link) == 0 else {
            if errno == ENOENT { throw .missing(directory: path) }
            throw .system(path: path, operation: "lstat", code: errno, message: String(cString: strerror(errno)))
        }
        // A symbolic link of somebody else leads where they please, whoever owns the target.
        guard isTrusted(link.st_uid) else { throw .foreignDirectory(path, owner: link.st_uid, user: geteuid()) }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .system(path: path, operation: "stat", code: errno, message: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path) }
        guard isTrusted(status.st_uid) else { throw .foreignDirectory(path, owner: status.st_uid, user: geteuid()) }
        // In a sticky directory (/tmp) others can make files but not replace ours.
        if status.st_mode & (S_IWGRP | S_IWOTH) != 0, status.st_mode & S_ISVTX == 0 {
            throw .openDirectory(path, mode: status.st_mode & 0o7777)
        }
    }

    private static func isTrusted(_ owner: UInt32) -> Bool { owner == geteuid() || owner == 0 }
}
