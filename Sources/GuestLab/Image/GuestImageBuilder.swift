import Foundation

/// Builds a guest's kernel and initramfs from Debian packages, once per contents, kernel version and lab version.
///
/// Nothing is installed on the host: packages are downloaded and unpacked below the cache, and their files are kept
/// there, except the kernel's, which is needed again only for contents with further modules. Builders in several
/// processes are safe; the second waits for the first and takes its result.
public struct GuestImageBuilder: Sendable {
    public typealias ProgressHandler = @Sendable (BuildProgress) -> Void

    public let cacheDirectory: String

    /// Raised when the layout of the cached image changes in a way its inputs do not show.
    private static let layoutVersion = "4"

    public init(cacheDirectory: String = LabCache.defaultDirectory) {
        self.cacheDirectory = cacheDirectory
    }

    /// The cached image, or a new one: about ten seconds and 70 MB of download for ``GuestContents/base``, and what
    /// `contents` adds to it.
    public func build(_ contents: GuestContents = .base, progress: @escaping ProgressHandler = { _ in }) async throws
        -> GuestImage
    {
        try contents.validate()
        try LabPrerequisites.check()
        try LabCache.create(cacheDirectory)
        progress(BuildProgress(.resolving, "looking up the newest kernel package"))
        let package = try await KernelPackage.current()
        let lock = try await FileLock.lock("\(cacheDirectory)/guest.lock") {
            progress(BuildProgress(.waiting, "waiting for another build of the guest"))
        }
        try removeLeftovers()
        let base = try await finished(.base, package, progress: progress) { work in
            try await build(package, modules: [], in: work, progress: progress)
        }
        if contents == .base {
            _ = consume lock
            return base
        }
        let image = try await finished(contents, package, progress: progress) { work in
            try await build(contents, on: base, package, in: work, progress: progress)
        }
        // Held until here: a waiting builder must find the finished image.
        _ = consume lock
        return image
    }

    /// The image from the cache if it is whole, else what `make` leaves in `image` of a work directory.
    private func finished(
        _ contents: GuestContents, _ package: KernelPackage, progress: @escaping ProgressHandler,
        make: (String) async throws -> Void
    ) async throws -> GuestImage {
        let image = GuestImage(
            kernelRelease: package.release, directory: try directory(for: package, contents), contents: contents)
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
        let work = "\(cacheDirectory)/build-\(getpid())"
        // A work directory that cannot be removed costs space only; the next build tries again.
        defer { try? FileManager.default.removeItem(atPath: work) }
        for name in ["download", "package", "root", "image"] {
            try FileManager.default.createDirectory(atPath: "\(work)/\(name)", withIntermediateDirectories: true)
        }
        try await make(work)
        try FileManager.default.moveItem(atPath: "\(work)/image", toPath: image.directory)
        progress(BuildProgress(.done, "guest with Linux \(image.kernelRelease) built"))
        return image
    }

    private func build(
        _ package: KernelPackage, modules: [String], in work: String, progress: @escaping ProgressHandler
    ) async throws {
        try await unpackKernel(package, in: work, keep: !modules.isEmpty, progress: progress)
        progress(BuildProgress(.kernel, "unpacking the kernel"))
        try await BzImage.extractKernel(
            from: "\(work)/package/boot/vmlinuz-\(package.release)", to: "\(work)/image/vmlinux")
        let names = GuestModules.names + modules
        progress(BuildProgress(.modules, "choosing \(names.count) modules and what they need"))
        try await ModuleTree(package: "\(work)/package", release: package.release)
            .copyClosure(of: names, to: "\(work)/root")

        progress(BuildProgress(.initramfs, "writing the initramfs"))
        var contents = try await InitramfsContents(busybox: busybox)
        try contents.addTree("\(work)/root")
        try contents.finish().write(to: URL(fileURLWithPath: "\(work)/image/initramfs"))
    }

    /// The base image, or one with more modules, and packages in a second archive behind it.
    private func build(
        _ contents: GuestContents, on base: GuestImage, _ package: KernelPackage, in work: String,
        progress: @escaping ProgressHandler
    ) async throws {
        let manager = FileManager.default
        if contents.modules.isEmpty {
            try manager.linkItem(atPath: base.kernelPath, toPath: "\(work)/image/vmlinux")
            try manager.copyItem(atPath: base.initramfsPath, toPath: "\(work)/image/initramfs")
        } else {
            try await build(package, modules: contents.modules, in: work, progress: progress)
        }
        guard !contents.packages.isEmpty else { return }
        progress(BuildProgress(.resolving, "looking up what \(contents.packages.joined(separator: ", ")) need"))
        let set = try await PackageSet.resolve(contents.packages, in: work)
        let title = "downloading \(set.packages.count) packages for the guest"
        progress(BuildProgress(.downloading, title))
        let files = try await set.download(to: try packageStore(), work: "\(work)/download") { fraction in
            progress(BuildProgress(.downloading, stageFraction: fraction, title))
        }
        try manager.createDirectory(atPath: "\(work)/packages", withIntermediateDirectories: false)
        for (index, file) in files.enumerated() {
            let fraction = Double(index) / Double(files.count)
            progress(BuildProgress(.unpacking, stageFraction: fraction, "unpacking \(set.packages[index].name)"))
            try await HostTool.run("dpkg-deb", ["-x", file, "\(work)/packages"])
        }
        progress(BuildProgress(.initramfs, "writing the packages into the initramfs"))
        var layer = PackageLayer()
        try layer.add("\(work)/packages")
        try layer.finish().append(toFile: "\(work)/image/initramfs")
    }

    /// Downloads the kernel package, or takes it from the store, and unpacks it into `package` of the work directory.
    private func unpackKernel(
        _ package: KernelPackage, in work: String, keep: Bool, progress: @escaping ProgressHandler
    ) async throws {
        let manager = FileManager.default
        let store = try packageStore()
        let present = try manager.contentsOfDirectory(atPath: store)
        let archive: String
        if let file = present.first(where: { $0.hasPrefix(package.filePrefix) && $0.hasSuffix(".deb") }) {
            archive = "\(store)/\(file)"
        } else {
            let megabytes = (package.size + 999_999) / 1_000_000
            let title = "downloading \(package.name) (\(megabytes) MB)"
            progress(BuildProgress(.downloading, title))
            archive = try await package.download(to: "\(work)/download") { fraction in
                progress(BuildProgress(.downloading, stageFraction: fraction, title))
            }
        }
        progress(BuildProgress(.unpacking, "unpacking \(package.name)"))
        try await HostTool.run("dpkg-deb", ["-x", archive, "\(work)/package"])
        guard archive.hasPrefix(work) else { return }
        if keep {
            try manager.moveItem(atPath: archive, toPath: "\(store)/\((archive as NSString).lastPathComponent)")
        } else {
            try manager.removeItem(atPath: archive)
        }
    }

    /// Where package files are kept.
    private func packageStore() throws -> String {
        let store = "\(cacheDirectory)/packages"
        try LabCache.create(store)
        return store
    }

    private var busybox: String { "/bin/busybox" }

    private func directory(for package: KernelPackage, _ contents: GuestContents) throws -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: busybox)
        let size = attributes?[.size] as? Int ?? 0
        let modified = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        var inputs =
            [Self.layoutVersion, package.version, "\(size) \(modified)"] + GuestModules.names
            + GuestScripts.files.flatMap { [$0.path, $0.text] }
        // The base follows the kernel alone; packages follow the host's package lists.
        if contents != .base { inputs += ["modules"] + contents.modules + ["packages"] + contents.packages }
        if !contents.packages.isEmpty { inputs += PackageSet.leftOut + (try AptDownload.listsStamp()) }
        return "\(cacheDirectory)/guest-\(package.release)-\(LabCache.fingerprint(inputs))"
    }

    /// Removes what builders that died have left; the lock is held, so none is at work.
    private func removeLeftovers() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: cacheDirectory) where name.hasPrefix("build-") {
            try FileManager.default.removeItem(atPath: "\(cacheDirectory)/\(name)")
        }
    }
}
