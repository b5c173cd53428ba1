import Glibc

/// Another program, run to its end.
enum ProgramRun {
    /// Starts a program found in PATH or in a system directory; says how it ended.
    static func wait(_ program: String, _ arguments: [String]) -> String {
        let search = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map(String.init)
        let folders = search + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        guard
            let path = folders.map({ (folder) -> String in "\(folder)/\(program)" }).first(where: {
                access($0, X_OK) == 0
            })
        else {
            return "not found"
        }
        var pid: pid_t = 0
        let code = withCStrings([program] + arguments) { posix_spawn(&pid, path, nil, nil, $0, environ) }
        guard code == 0 else { return errorText(code) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? "exited with \((status >> 8) & 0xFF)" : "ended by signal \(status & 0x7F)"
    }
}

/// Calls `body` with a NULL-terminated array of C strings that live for the call.
func withCStrings<Result>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    return body(pointers + [nil])
}
