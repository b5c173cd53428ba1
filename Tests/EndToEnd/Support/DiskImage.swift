import Foundation
import TerminalTestKit

/// A raw image in a test's world.
struct DiskImage {
    let path: String

    /// Makes one of zeros, which takes no room until it is written to.
    init(_ path: String, mebibytes: Int) throws {
        self.path = path
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LabEnvironment.Failure(description: "\(path): \(errno)") }
        defer { close(descriptor) }
        guard ftruncate(descriptor, mebibytes << 20) == 0 else {
            throw LabEnvironment.Failure(description: "\(path): \(errno)")
        }
    }

    func bytes() throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    /// Whether every whole 4 KiB block of `text` is somewhere in the image, at a multiple of 4 KiB.
    func holds(blocksOf text: Data) throws -> Bool {
        let image = try bytes()
        var blocks: Set<Data> = []
        for offset in stride(from: 0, to: image.count, by: 4096) { blocks.insert(image[offset..<offset + 4096]) }
        return stride(from: 0, to: text.count - 4095, by: 4096).allSatisfy {
            blocks.contains(text[$0..<$0 + 4096])
        }
    }

    /// SHA-256 in hexadecimal, as the host's own tool has it, of the first `length` bytes.
    static func sum(of path: String, first length: Int? = nil) async throws -> String {
        let result = path + ".sum"
        let head = length.map { "head -c \($0) '\(path)'" } ?? "cat '\(path)'"
        let child = try Child(
            "/bin/sh", ["-c", "\(head) | sha256sum"], variables: ["PATH": "/usr/bin:/bin"], output: result,
            errors: result)
        let status = await child.ended()
        defer { unlink(result) }
        let text = try String(contentsOfFile: result, encoding: .utf8)
        guard status == 0, text.count > 64 else { throw LabEnvironment.Failure(description: "sha256sum: \(text)") }
        return String(text.prefix(64))
    }
}
