import Foundation

/// Looks through the sources once: the VMs they name now, each once, and what is wrong with them.
struct SourceScanner: Sendable {
    let sources: [VMSource]

    /// More sockets than this in one directory are not watched.
    private static let limit = 256

    /// `processes` nil means: keep to what needs no look at /proc.
    func scan(processes: [QEMUProcess]) -> (targets: [VMTarget], troubles: [SourceTrouble]) {
        var targets: [VMTarget] = []
        var troubles: [SourceTrouble] = []
        for source in sources {
            switch source {
            case .qmp(let path, let name):
                let path = Self.absolute(path)
                targets.append(
                    VMTarget(
                        id: "qmp:" + path, name: printable(name), source: source, sockets: [path], isPermanent: true))
            case .qmpDirectory(let path):
                let found = Self.sockets(in: Self.absolute(path))
                targets += found.paths.map {
                    VMTarget(id: "qmp:" + $0, name: Self.name($0), source: source, sockets: [$0], isPermanent: false)
                }
                troubles += found.troubles.map { SourceTrouble(source: source, message: $0) }
            case .qemuProcesses:
                targets += processes.map { Self.target($0, source) }
            case .libvirt(let uri):
                let message = "libvirt (\(printable(uri))) is not supported by this build; name the VM's QMP socket"
                troubles.append(SourceTrouble(source: source, message: message))
            }
        }
        return (Self.once(targets), troubles)
    }

    var wantsProcesses: Bool { sources.contains(.qemuProcesses) }

    /// Leaves out a VM of which an earlier one already has a socket.
    private static func once(_ targets: [VMTarget]) -> [VMTarget] {
        var seen: Set<String> = []
        return targets.filter { target in
            let sockets = target.sockets.map(realPath)
            guard !seen.contains(target.id), seen.isDisjoint(with: sockets) else { return false }
            seen.formUnion(sockets)
            seen.insert(target.id)
            return true
        }
    }

    private static func target(_ process: QEMUProcess, _ source: VMSource) -> VMTarget {
        let id = process.sockets.first.map { "qmp:" + $0 } ?? "pid:\(process.pid):\(process.startTicks)"
        let name = process.commandLine.name ?? process.sockets.first.map(name) ?? "qemu-\(process.pid)"
        return VMTarget(
            id: id, name: printable(name), source: source, sockets: process.sockets, process: process,
            isPermanent: false)
    }

    private static func sockets(in directory: String) -> (paths: [String], troubles: [String]) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            return ([], ["cannot list \(directory): \(errorText(errnoOfOpening(directory)))"])
        }
        var paths: [String] = []
        var troubles: [String] = []
        for name in names.sorted() where name.hasSuffix(".qmp") && !name.hasPrefix(".") {
            guard paths.count < limit else {
                troubles.append("more than \(limit) sockets in \(directory): the rest is not watched")
                break
            }
            let path = directory + "/" + name
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFSOCK {
                paths.append(path)
            } else {
                troubles.append("\(printable(path, limit: 200)) is not a socket")
            }
        }
        return (paths, troubles)
    }

    /// Foundation's listing error hides errno; a missing directory is the usual case.
    private static func errnoOfOpening(_ directory: String) -> CInt {
        guard let handle = opendir(directory) else { return errno }
        closedir(handle)
        return 0
    }

    private static func name(_ path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return printable(file.hasSuffix(".qmp") ? String(file.dropLast(4)) : file)
    }

    private static func absolute(_ path: String) -> String {
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        let parts = full.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }

    /// The path with symbolic links resolved, or as it is while nothing is there.
    static func realPath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
