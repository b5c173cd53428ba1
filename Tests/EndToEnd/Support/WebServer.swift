import Foundation
import TerminalTestKit

/// A real web server on the host's loopback: busybox httpd, which the lab needs anyway, with a process per request.
///
/// It belongs to a test's world and ends with it.
struct WebServer {
    let port: Int
    private let root: String
    private let child: Child

    /// Puts down files and serves them.
    ///
    /// - Parameter folder: of the test's world; one for each server of a test.
    static func start(in lab: LabEnvironment, folder: String = "www") async throws -> WebServer {
        let root = lab.directory + "/" + folder
        try FileManager.default.createDirectory(atPath: root + "/cgi-bin", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/arrived", withIntermediateDirectories: true)
        let gate = root + "/gate"
        guard mkfifo(gate, 0o600) == 0 else { throw LabEnvironment.Failure(description: "mkfifo \(gate)") }
        // Answers only when the gate is opened: until then the request is under way.
        let script = """
            #!/bin/sh
            : > "\(root)/arrived/$QUERY_STRING"
            read nothing < "\(gate)"
            printf 'Content-Type: text/plain\\r\\n\\r\\nanswer %s\\n' "$QUERY_STRING"
            """
        try script.write(toFile: root + "/cgi-bin/together", atomically: true, encoding: .utf8)
        chmod(root + "/cgi-bin/together", 0o755)
        // The body's sum, without keeping it.
        let sum = """
            #!/bin/sh
            printf 'Content-Type: text/plain\r\n\r\n'
            head -c "$CONTENT_LENGTH" | sha256sum
            """
        try sum.write(toFile: root + "/cgi-bin/sum", atomically: true, encoding: .utf8)
        chmod(root + "/cgi-bin/sum", 0o755)
        // Another process may take the port between the look and httpd's bind.
        for _ in 0..<5 {
            let port = try freePort()
            let child = try Child(
                "/bin/busybox", ["httpd", "-f", "-p", "127.0.0.1:\(port)", "-h", root], variables: lab.variables,
                output: lab.directory + "/httpd.log", errors: lab.directory + "/httpd.log")
            do {
                try await eventually("a web server on port \(port)", seconds: 5) {
                    if !child.isRunning { throw LabEnvironment.Failure(description: "httpd ended") }
                    return connects(port)
                }
                return WebServer(port: port, root: root, child: child)
            } catch {
                child.kill()
            }
        }
        throw LabEnvironment.Failure(description: "busybox httpd did not start")
    }

    /// Kills it together with all that it is answering.
    func kill() async throws {
        // Its processes first: whom the server has left alone would still answer.
        let children = try Child(
            "/usr/bin/pkill", ["-KILL", "-P", "\(child.pid)"], variables: ["PATH": "/usr/bin:/bin"],
            output: root + "/../pkill.log", errors: root + "/../pkill.log")
        let status = await children.ended()
        guard status <= 1 else { throw LabEnvironment.Failure(description: "pkill ended with \(status)") }
        child.kill(SIGKILL)
        _ = await child.ended()
    }

    /// How many requests for `/cgi-bin/together?N` are waiting for the gate.
    var arrived: Int { (try? FileManager.default.contentsOfDirectory(atPath: root + "/arrived").count) ?? 0 }

    /// Lets all that have arrived answer.
    func openGate() {
        let descriptor = open(root + "/gate", O_WRONLY | O_NONBLOCK)
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Makes a file of random bytes and returns its SHA-256 in hexadecimal, as the host's own tool has it.
    func put(_ name: String, mebibytes: Int) async throws -> String {
        let result = "\(root)/../sum"
        let child = try Child(
            "/bin/sh",
            ["-c", "head -c \(mebibytes << 20) /dev/urandom > \(root)/\(name) && sha256sum \(root)/\(name)"],
            variables: ["PATH": "/usr/bin:/bin"], output: result, errors: result)
        let status = await child.ended()
        let text = try String(contentsOfFile: result, encoding: .utf8)
        guard status == 0, text.count > 64 else { throw LabEnvironment.Failure(description: "sha256sum: \(text)") }
        return String(text.prefix(64))
    }

    func put(_ name: String, text: String) throws {
        try text.write(toFile: "\(root)/\(name)", atomically: true, encoding: .utf8)
    }

    static func freePort() throws -> Int {
        try withLoopbackSocket { descriptor, address in
            guard bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 else {
                throw LabEnvironment.Failure(description: "bind: \(String(cString: strerror(errno)))")
            }
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            getsockname(descriptor, address, &length)
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }

    static func connects(_ port: Int) -> Bool {
        (try? withLoopbackSocket(port: port) { descriptor, address in
            connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }) ?? false
    }

    private static func withLoopbackSocket<T>(
        port: Int = 0, _ body: (Int32, UnsafeMutablePointer<sockaddr>) throws -> T
    ) throws -> T {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw LabEnvironment.Failure(description: "socket: no descriptor") }
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body(descriptor, $0) }
        }
    }
}
