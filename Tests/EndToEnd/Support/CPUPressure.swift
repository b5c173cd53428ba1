import Foundation

/// How short this machine is of processors (Linux pressure stall information).
enum CPUPressure {
    /// Time since boot in which at least one task waited for a processor; zero where the kernel does not tell.
    static func waited() throws -> Duration {
        let path = "/proc/pressure/cpu"
        guard FileManager.default.isReadableFile(atPath: path) else { return .zero }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") }),
            let total = line.split(separator: " ").last(where: { $0.hasPrefix("total=") }),
            let microseconds = Int64(total.dropFirst(6))
        else { throw LabEnvironment.Failure(description: "\(path) reads “\(text)”") }
        return .microseconds(microseconds)
    }
}
