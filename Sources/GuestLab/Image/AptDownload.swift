import Foundation

/// `apt-get download`: fetches and verifies package files, installs nothing, needs no privilege.
enum AptDownload {
    /// Downloads `NAME=VERSION`s into `directory`; `progress` gets 0…1.
    static func run(_ packages: [String], in directory: String, progress: @escaping @Sendable (Double) -> Void)
        async throws
    {
        var arguments = ["download", "-qq", "-o", "APT::Status-Fd=1", "-o", "Acquire::Retries=3"]
        // Root's apt drops to the user _apt, who may not write into a private directory.
        if getuid() == 0 { arguments += ["-o", "APT::Sandbox::User=root"] }
        try await HostTool.run("apt-get", arguments + packages, in: directory) { line in
            // "dlstatus:1:35.2:Retrieving file 1 of 1"
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 3, fields[0] == "dlstatus", let percent = Double(fields[2]) else { return }
            progress(min(max(percent / 100, 0), 1))
        }
    }

    /// What changes when the host's package lists do: their names, sizes and times.
    static func listsStamp(directory: String = "/var/lib/apt/lists") throws -> [String] {
        let manager = FileManager.default
        let names = try manager.contentsOfDirectory(atPath: directory).filter { $0.contains("_Packages") }.sorted()
        guard !names.isEmpty else { throw LabError.noKernelPackage("there are no package lists; run: apt-get update") }
        return try names.map { name in
            let attributes = try manager.attributesOfItem(atPath: "\(directory)/\(name)")
            let modified = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(name) \(attributes[.size] as? Int ?? 0) \(modified)"
        }
    }
}
