import CGuestLab
import Foundation

extension ChildProcess {
    /// Forks and executes on the calling thread; returns the pid and the read end of the output pipe, if one is used.
    static func spawn(_ launch: ChildLaunch) throws -> (pid_t, Int32?) {
        var executable = launch.executable
        var arguments = launch.arguments
        if launch.diesWithParent, let setpriv = HostTool.path(of: "setpriv") {
            arguments = ["--pdeathsig", "KILL", "--", executable] + arguments
            executable = setpriv
        }

        var pipeEnds: [Int32] = [-1, -1]
        guard guestlab_pipe(&pipeEnds) == 0 else {
            throw LabError.system(what: "cannot make a pipe for", path: executable, errno: errno)
        }
        let (readEnd, writeEnd) = (pipeEnds[0], pipeEnds[1])
        defer { close(writeEnd) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        var usesPipe = false
        for (descriptor, output) in [(Int32(1), launch.standardOutput), (Int32(2), launch.standardError)] {
            switch output {
            case .reader:
                usesPipe = true
                posix_spawn_file_actions_adddup2(&actions, writeEnd, descriptor)
            case .file(let path):
                posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            }
        }
        // Sockets of the engine and of other guests must not leak into a child that may outlive them.
        guestlab_spawn_close_from(&actions, 3)
        if let directory = launch.directory { guestlab_spawn_change_directory(&actions, directory) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A console blocks and ignores signals; its children must not inherit that.
        var noSignals = sigset_t()
        var allSignals = sigset_t()
        sigemptyset(&noSignals)
        sigfillset(&allSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setsigdefault(&attributes, &allSignals)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        if launch.ownProcessGroup {
            posix_spawnattr_setpgroup(&attributes, 0)
            flags |= POSIX_SPAWN_SETPGROUP
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var pid: pid_t = 0
        let code = withCStrings([executable] + arguments) { argv in
            withCStrings(launch.environment.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&pid, executable, &actions, &attributes, argv, environment)
            }
        }
        guard code == 0 else {
            close(readEnd)
            throw LabError.system(what: "cannot start", path: executable, errno: code)
        }
        if usesPipe { return (pid, readEnd) }
        close(readEnd)
        return (pid, nil)
    }

    /// Calls `body` with a NULL-terminated array of C strings that live for the call.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
