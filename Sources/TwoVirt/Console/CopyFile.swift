import ControlSocket
import Foundation

/// What was copied last, for terminals without OSC 52: `copied.txt` in the state directory.
enum CopyFile {
    /// Returns the file, or why it could not be written.
    static func write(_ text: String) -> Result<String, any Error> {
        let paths = EnginePaths.current
        let file = paths.stateDirectory + "/copied.txt"
        return Result {
            try FileManager.default.createDirectory(
                atPath: paths.stateDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            return file
        }
    }
}
