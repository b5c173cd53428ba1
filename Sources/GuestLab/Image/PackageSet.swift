import Foundation

/// Debian packages and all they depend on, downloaded but never installed on the host.
struct PackageSet {
    /// What is pretended to be there already: tools of maintainer scripts, which do not run, and interpreters, which
    /// many packages want for one script of theirs.
    static let leftOut = [
        "adduser", "debconf", "dpkg", "init-system-helpers", "lsb-base", "media-types", "passwd", "perl", "perl-base",
        "python3", "sensible-utils", "sysvinit-utils", "tar", "ucf", "usrmerge",
    ]

    let packages: [DebianPackage]

    /// Asks the host's apt what `names` need where nothing is installed; `work` gets a file.
    static func resolve(_ names: [String], in work: String) async throws -> PackageSet {
        let status = "\(work)/status"
        try pretendedStatus(without: names).write(toFile: status, atomically: true, encoding: .utf8)
        let text: String
        do {
            text = try await HostTool.run(
                "apt-get",
                [
                    "-s", "-qq", "-o", "Dir::State::status=\(status)", "-o", "pkgCacheGen::Essential=none",
                    "-o", "Debug::NoLocking=1", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
                    "--no-install-recommends", "install", "--",
                ] + names)
        } catch LabError.toolFailed(_, _, let output) {
            throw LabError.configuration(
                "the guest's packages \(names.joined(separator: ", ")) cannot be had (\(output)); run: apt-get update")
        }
        let packages = text.split(separator: "\n").compactMap(DebianPackage.init(simulationLine:))
        for name in names where !packages.contains(where: { $0.name == name }) {
            throw LabError.configuration("the package lists name no package \(name) of its own; run: apt-get update")
        }
        return PackageSet(packages: packages)
    }

    /// A dpkg status file in which ``leftOut`` is installed, in a version that satisfies everybody.
    static func pretendedStatus(without names: [String]) -> String {
        // An interpreter that is asked for needs its own base packages.
        let base = Dictionary(grouping: leftOut) { $0.split(separator: "-")[0] }
        let wanted = Set(names.flatMap { name in base[name.split(separator: "-")[0]] ?? [] })
        return leftOut.filter { !wanted.contains($0) }
            .map {
                """
                Package: \($0)
                Status: install ok installed
                Multi-Arch: allowed
                Architecture: amd64
                Version: 9999
                Maintainer: nobody
                Description: left out

                """
            }
            .joined(separator: "\n")
    }

    /// The packages' files in `store`; those not there yet are downloaded, all in one run.
    func download(to store: String, work: String, progress: @escaping @Sendable (Double) -> Void) async throws
        -> [String]
    {
        let manager = FileManager.default
        let present = try manager.contentsOfDirectory(atPath: store)
        let missing = packages.filter { Self.file(of: $0, among: present) == nil }
        if !missing.isEmpty {
            try await AptDownload.run(missing.map { "\($0.name)=\($0.version)" }, in: work, progress: progress)
            for file in try manager.contentsOfDirectory(atPath: work) where file.hasSuffix(".deb") {
                // Another process with another cache lock does not exist: the builder holds it.
                try manager.moveItem(atPath: "\(work)/\(file)", toPath: "\(store)/\(file)")
            }
        }
        let files = try manager.contentsOfDirectory(atPath: store)
        return try packages.map { package in
            guard let file = Self.file(of: package, among: files) else {
                throw LabError.toolFailed(
                    tool: "apt-get download \(package.name)", status: "left no package file", output: "")
            }
            return "\(store)/\(file)"
        }
    }

    private static func file(of package: DebianPackage, among files: [String]) -> String? {
        files.first { $0.hasPrefix(package.filePrefix) && $0.hasSuffix(".deb") }
    }
}
