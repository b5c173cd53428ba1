import Foundation

/// The directory that keeps what is expensive to make: `$XDG_CACHE_HOME/2virt`, by default `~/.cache/2virt`.
public enum LabCache {
    public static var defaultDirectory: String {
        let environment = ProcessInfo.processInfo.environment
        if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") { return base + "/2virt" }
        return NSHomeDirectory() + "/.cache/2virt"
    }

    static func create(_ directory: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw LabError.configuration("cannot create the cache \(directory): \(error)")
        }
    }

    /// FNV-1a over the parts, to name what was built from them; not meant to withstand an adversary.
    static func fingerprint(_ parts: [String]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in Array(part.utf8) + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
