import Foundation

/// Cuts the modules a guest needs out of an unpacked kernel package.
struct ModuleTree {
    /// The unpacked package's root.
    let package: String
    let release: String

    /// Copies the closure of `names` below `root/lib/modules/<release>` and indexes it there.
    func copyClosure(of names: [String], to root: String) async throws {
        let manager = FileManager.default
        // Newer packages ship /usr/lib/modules only, where depmod -b does not look.
        if !manager.fileExists(atPath: "\(package)/lib/modules") {
            try manager.createSymbolicLink(atPath: "\(package)/lib", withDestinationPath: "usr/lib")
        }
        let source = "\(package)/lib/modules/\(release)"
        try await HostTool.run("depmod", ["-b", package, release])
        let index = try ModuleIndex(
            dependencyList: String(contentsOfFile: "\(source)/modules.dep", encoding: .utf8),
            builtInList: String(contentsOfFile: "\(source)/modules.builtin", encoding: .utf8),
            named: "\(source)/modules.dep")

        let target = "\(root)/lib/modules/\(release)"
        var packed: [String: [String]] = [:]
        for path in try index.closure(of: names) {
            let copy = "\(target)/\(path)"
            let folder = (copy as NSString).deletingLastPathComponent
            try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try manager.copyItem(atPath: "\(source)/\(path)", toPath: copy)
            let suffix = (copy as NSString).pathExtension
            if suffix != "ko" { packed[suffix, default: []].append(copy) }
        }
        // Packed modules (newer Debian) are unpacked once here instead of at every load under emulation.
        for (suffix, files) in packed {
            guard let tool = ["xz": "xz", "gz": "gzip", "zst": "zstd"][suffix] else {
                throw LabError.malformed(file: source, reason: "modules packed as .\(suffix) are not known")
            }
            try await HostTool.run(tool, ["-d"] + (tool == "zstd" ? ["-q", "--rm"] : []) + files)
        }
        for name in ["modules.builtin", "modules.builtin.modinfo", "modules.order"] {
            try manager.copyItem(atPath: "\(source)/\(name)", toPath: "\(target)/\(name)")
        }
        try await HostTool.run("depmod", ["-b", root, release])
    }
}
