import Foundation

/// Unpacked packages as an archive of its own, to follow a base initramfs: the kernel unpacks all it finds, and a later
/// file replaces an earlier one, such as busybox's link of the same name.
struct PackageLayer {
    /// Below these nothing is read by a program under test.
    private static let leftOut = [
        "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/",
        "usr/share/bash-completion/", "usr/share/bug/", "usr/share/doc-base/", "usr/share/menu/",
        "usr/share/pixmaps/", "usr/share/sounds/", "etc/init.d/", "lib/systemd/system/",
        "usr/lib/systemd/system/",
    ]

    private var writer = CPIOWriter()

    /// Adds files, links and directories below `directory` in a fixed order; devices and sockets do not occur.
    mutating func add(_ directory: String) throws {
        let manager = FileManager.default
        for path in try manager.subpathsOfDirectory(atPath: directory).sorted() {
            guard !Self.leftOut.contains(where: { path.hasPrefix($0) || path + "/" == $0 }) else { continue }
            // A directory entry would take the place of the link.
            guard !MergedUsr.directories.contains(path) else { continue }
            let source = "\(directory)/\(path)"
            let attributes = try manager.attributesOfItem(atPath: source)
            let permissions = UInt32(truncatingIfNeeded: attributes[.posixPermissions] as? Int ?? 0o644) & 0o7777
            let kind: CPIOEntry.Kind
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory?: kind = .directory
            case .typeRegular?: kind = .file(try Data(contentsOf: URL(fileURLWithPath: source), options: .alwaysMapped))
            case .typeSymbolicLink?:
                kind = .symbolicLink(target: try manager.destinationOfSymbolicLink(atPath: source))
            default: continue
            }
            try writer.add(CPIOEntry(path: MergedUsr.path(path), permissions: permissions, kind: kind))
        }
    }

    mutating func finish() throws -> Data { try writer.finish() }
}
