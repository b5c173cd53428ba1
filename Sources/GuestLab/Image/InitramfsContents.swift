import Foundation

/// Collects what goes into an initramfs before any package.
struct InitramfsContents {
    private var writer = CPIOWriter()

    /// Directories, device nodes, busybox with its applet links, and the scripts.
    init(busybox: String) async throws {
        for directory in [
            "dev", "proc", "sys", "run", "tmp", "root", "mnt", "etc", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64",
            "var/tmp",
        ] {
            try writer.add(CPIOEntry(path: directory, permissions: 0o755, kind: .directory))
        }
        for name in MergedUsr.directories {
            try writer.add(CPIOEntry(path: name, permissions: 0o777, kind: .symbolicLink(target: "usr/\(name)")))
        }
        try writer.add(CPIOEntry(path: "var/run", permissions: 0o777, kind: .symbolicLink(target: "../run")))
        // The kernel opens /dev/console for init before devtmpfs is mounted.
        try writer.add(
            CPIOEntry(path: "dev/console", permissions: 0o600, kind: .characterDevice(major: 5, minor: 1)))
        let program = try Data(contentsOf: URL(fileURLWithPath: busybox))
        try writer.add(CPIOEntry(path: "usr/bin/busybox", permissions: 0o755, kind: .file(program)))
        let applets = try await HostTool.run(busybox, ["--list-full"])
        for applet in Set(applets.split(separator: "\n").map(String.init)).sorted() where applet != "bin/busybox" {
            try writer.add(
                CPIOEntry(path: MergedUsr.path(applet), permissions: 0o777, kind: .symbolicLink(target: "/bin/busybox"))
            )
        }
        for script in GuestScripts.files {
            try writer.add(
                CPIOEntry(
                    path: MergedUsr.path(script.path), permissions: 0o755, kind: .file(Data((script.text + "\n").utf8)))
            )
        }
        try writer.add(
            CPIOEntry(path: "etc/passwd", permissions: 0o644, kind: .file(Data("root::0:0:root:/root:/bin/sh\n".utf8))))
        try writer.add(CPIOEntry(path: "etc/group", permissions: 0o644, kind: .file(Data("root:x:0:\n".utf8))))
    }

    /// Adds every regular file below `directory`, in a fixed order.
    mutating func addTree(_ directory: String) throws {
        for path in try FileManager.default.subpathsOfDirectory(atPath: directory).sorted() {
            let source = "\(directory)/\(path)"
            let attributes = try FileManager.default.attributesOfItem(atPath: source)
            guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
            let contents = try Data(contentsOf: URL(fileURLWithPath: source))
            try writer.add(CPIOEntry(path: MergedUsr.path(path), permissions: 0o644, kind: .file(contents)))
        }
    }

    mutating func finish() throws -> Data { try writer.finish() }
}
