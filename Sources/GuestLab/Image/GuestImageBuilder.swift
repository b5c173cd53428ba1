import Foundation

/// Builds the guest's kernel and base initramfs from Debian packages, once per kernel version and per lab version.
///
/// Nothing is installed on the host: the package is downloaded and unpacked below the cache. Builders in several
/// processes are safe; the second waits for the first and takes its result.
public struct GuestImageBuilder: Sendable {
    public typealias ProgressHandler = @Sendable (BuildProgress) -> Void

    public let cacheDirectory: String

    /// Raised when the layout of the cached image changes in a way its inputs do not show.
    private static let layoutVersion = "1"

    public init(cacheDirectory: String = LabCache.defaultDirectory) {
        self.cacheDirectory = cacheDirectory
    }

    /// The cached image, or a new one (about ten seconds and 70 MB of download).
    public func build(progress: @escaping ProgressHandler = { _ in }) async throws -> GuestImage {
        try LabPrerequisites.check()
        try LabCache.create(cacheDirectory)
        progress(BuildProgress(.resolving, "looking up the newest kernel package"))
        let package = try await KernelPackage.current()
        let image = GuestImage(kernelRelease: package.release, directory: directory(for: package))

        let lock = try await FileLock.lock("\(cacheDirectory)/guest.lock") {
            progress(BuildProgress(.waiting, "waiting for another build of the guest"))
        }
        if FileManager.default.fileExists(atPath: image.directory) {
            do {
                try image.verify()
                progress(BuildProgress(.done, "guest with Linux \(image.kernelRelease) taken from the cache"))
                return image
            } catch {
                progress(BuildProgress(.resolving, "the cached guest is damaged and is built anew: \(error)"))
                try FileManager.default.removeItem(atPath: image.directory)
            }
        }
        try removeLeftovers()
        let work = "\(cacheDirectory)/build-\(getpid())"
        try LabCache.create(work)
        do {
            try await build(package, in: work, progress: progress)
            try FileManager.default.moveItem(atPath: "\(work)/image", toPath: image.directory)
        } catch {
            removeLogged(work)
            throw error
        }
        removeLogged(work)
        // Held until here: a waiting builder must find the finished image.
        _ = consume lock
        progress(BuildProgress(.done, "guest with Linux \(image.kernelRelease) built"))
        return image
    }

    private func build(_ package: KernelPackage, in work: String, progress: @escaping ProgressHandler) async throws {
        let manager = FileManager.default
        for name in ["download", "package", "root", "image"] {
            try manager.createDirectory(atPath: "\(work)/\(name)", withIntermediateDirectories: false)
        }
        let megabytes = (package.size + 999_999) / 1_000_000
        let title = "downloading \(package.name) (\(megabytes) MB)"
        progress(BuildProgress(.downloading, title))
        let archive = try await package.download(to: "\(work)/download") { fraction in
            progress(BuildProgress(.downloading, stageFraction: fraction, title))
        }
        progress(BuildProgress(.unpacking, "unpacking \(package.name)"))
        try await HostTool.run("dpkg-deb", ["-x", archive, "\(work)/package"])
        try manager.removeItem(atPath: archive)

        progress(BuildProgress(.kernel, "unpacking the kernel"))
        try await BzImage.extractKernel(
            from: "\(work)/package/boot/vmlinuz-\(package.release)", to: "\(work)/image/vmlinux")
        progress(BuildProgress(.modules, "choosing \(GuestModules.names.count) modules and what they need"))
        let modules = ModuleTree(package: "\(work)/package", release: package.release)
        try await modules.copyClosure(of: GuestModules.names, to: "\(work)/root")

        progress(BuildProgress(.initramfs, "writing the initramfs"))
        var contents = try await InitramfsContents(busybox: busybox)
        try contents.addTree("\(work)/root", as: "") { $0.hasSuffix(".bin") }
        try contents.finish().write(to: URL(fileURLWithPath: "\(work)/image/initramfs"))
    }

    private var busybox: String { "/bin/busybox" }

    private func directory(for package: KernelPackage) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: busybox)
        let size = attributes?[.size] as? Int ?? 0
        let modified = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        let inputs =
            [Self.layoutVersion, package.version, "\(size) \(modified)"] + GuestModules.names
            + GuestScripts.files.flatMap { [$0.path, $0.text] }
        return "\(cacheDirectory)/guest-\(package.release)-\(LabCache.fingerprint(inputs))"
    }

    /// Removes what builders that died have left; the lock is held, so none is at work.
    private func removeLeftovers() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: cacheDirectory) where name.hasPrefix("build-") {
            try FileManager.default.removeItem(atPath: "\(cacheDirectory)/\(name)")
        }
    }

    /// A work directory that cannot be removed costs space only; the next build tries again.
    private func removeLogged(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
