import Foundation

/// The host programs a guest needs, and the one command that installs what is missing; the lab itself installs nothing.
///
/// The initramfs is written by ``CPIOWriter``, so no `cpio` is called.
public enum LabPrerequisites {
    public static let packages: [LabPackage] = [
        LabPackage(name: "qemu-system-x86", purpose: "runs the guest", program: "qemu-system-x86_64"),
        LabPackage(name: "kmod", purpose: "indexes the guest's kernel modules", program: "depmod"),
        LabPackage(
            name: "busybox-static", purpose: "is the guest's user space", program: "/bin/busybox", mustBeStatic: true),
        LabPackage(name: "xz-utils", purpose: "unpacks the kernel", program: "xz"),
        LabPackage(name: "apt", purpose: "downloads the kernel package", program: "apt-get"),
        LabPackage(name: "dpkg", purpose: "unpacks the kernel package", program: "dpkg-deb"),
    ]

    /// Throws ``LabError/missingPackages(_:)``, whose message is the `apt-get` command that installs what is missing.
    public static func check() throws {
        try check(packages, isInstalled: isInstalled)
    }

    static func check(_ packages: [LabPackage], isInstalled: (LabPackage) -> Bool) throws {
        let missing = packages.filter { !isInstalled($0) }.map(\.name)
        guard missing.isEmpty else { throw LabError.missingPackages(missing) }
    }

    static func isInstalled(_ package: LabPackage) -> Bool {
        guard let path = HostTool.path(of: package.program) else { return false }
        return !package.mustBeStatic || isStaticExecutable(path)
    }

    /// Whether an ELF64 file has no PT_INTERP program header, that is, needs no dynamic loader.
    static func isStaticExecutable(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path),
            let head = try? file.read(upToCount: 4096)
        else { return false }
        let bytes = [UInt8](head)
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), bytes.count >= 64 else { return false }
        let tableOffset = LittleEndian.uint64(bytes, at: 0x20) ?? .max
        let entrySize = Int(LittleEndian.uint16(bytes, at: 0x36) ?? 0)
        let entries = Int(LittleEndian.uint16(bytes, at: 0x38) ?? 0)
        guard tableOffset < UInt64(bytes.count), entrySize >= 56 else { return false }
        let interpreterSegment: UInt32 = 3
        for index in 0..<entries {
            guard let type = LittleEndian.uint32(bytes, at: Int(tableOffset) + index * entrySize) else { return false }
            if type == interpreterSegment { return false }
        }
        return entries > 0
    }
}
