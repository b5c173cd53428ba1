import Foundation

extension Data {
    /// Writes the bytes behind what a file holds.
    func append(toFile path: String) throws {
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw LabError.system(what: "cannot append to", path: path, errno: errno)
        }
        try handle.seekToEnd()
        try handle.write(contentsOf: self)
        try handle.close()
    }
}
