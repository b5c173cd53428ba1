import Foundation

/// The Debian kernel package a guest is built from, as the host's package lists describe it.
struct KernelPackage: Equatable, Sendable {
    /// `linux-image-6.1.0-56-amd64`
    let name: String
    let version: String
    /// Download size in bytes.
    let size: Int

    static let metaPackage = "linux-image-amd64"

    /// What the package file's name begins with.
    var filePrefix: String { DebianPackage(name: name, version: version).filePrefix }

    /// What `uname -r` prints in the guest.
    var release: String { String(name.dropFirst("linux-image-".count)) }

    /// The kernel the meta package stands for.
    static func current() async throws -> KernelPackage {
        let depends: String
        do {
            depends = try await HostTool.run("apt-cache", ["depends", "--important", metaPackage])
        } catch LabError.toolFailed(_, _, let output) {
            throw LabError.noKernelPackage(
                "the package lists do not know \(metaPackage) (\(output)); run: apt-get update")
        }
        let name = try dependency(in: depends)
        let record = try await HostTool.run("apt-cache", ["show", "--no-all-versions", name])
        return try KernelPackage(name: name, record: record)
    }

    /// The one kernel image in the output of `apt-cache depends`; the cloud flavour has no USB.
    static func dependency(in text: String) throws -> String {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0].hasSuffix("Depends:"), isKernelName(String(words[1])) else { continue }
            return String(words[1])
        }
        throw LabError.noKernelPackage("\(metaPackage) depends on no kernel in the package lists; run: apt-get update")
    }

    init(name: String, record: String) throws {
        func field(_ key: String) -> String? {
            record.split(separator: "\n").first { $0.hasPrefix(key + ": ") }
                .map { $0.dropFirst(key.count + 2).trimmingCharacters(in: .whitespaces) }
        }
        guard let version = field("Version"), let size = field("Size").flatMap({ Int($0) }), size > 0 else {
            throw LabError.noKernelPackage("apt-cache shows no version or size of \(name); run: apt-get update")
        }
        self.name = name
        self.version = version
        self.size = size
    }

    private static func isKernelName(_ name: String) -> Bool {
        let stem = "linux-image-"
        return name.hasPrefix(stem) && name.dropFirst(stem.count).first?.isNumber == true && name.hasSuffix("-amd64")
            && !name.contains("cloud")
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }

    /// Downloads the package into `directory` and returns its path; `progress` gets 0…1.
    func download(to directory: String, progress: @escaping @Sendable (Double) -> Void) async throws -> String {
        try await AptDownload.run(["\(name)=\(version)"], in: directory, progress: progress)
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
        guard let file = files.first(where: { $0.hasPrefix(name) && $0.hasSuffix(".deb") }) else {
            throw LabError.toolFailed(tool: "apt-get download \(name)", status: "left no package file", output: "")
        }
        return "\(directory)/\(file)"
    }
}
