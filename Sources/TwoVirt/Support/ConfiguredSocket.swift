import Foundation
import TOMLKit

/// The one line of the configuration that a client needs: `[engine] socket`. The rest is the engine's to judge.
enum ConfiguredSocket {
    /// Larger files are no configuration.
    static let maximumSize = 4 << 20

    static func read(file: String) throws -> String? {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            defer { try? handle.close() }
            data = try handle.read(upToCount: maximumSize + 1) ?? Data()
        } catch {
            throw CommandFailure("configuration \(file) cannot be read: \(Self.reason(error))")
        }
        guard data.count <= maximumSize else { throw CommandFailure("configuration \(file) is larger than 4 MiB") }
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure("configuration \(file) is not UTF-8 text")
        }
        do {
            let table = try TOMLTable(string: text)
            guard let socket = table["engine"]?.table?["socket"] else { return nil }
            guard let path = socket.string, path.hasPrefix("/") else {
                throw CommandFailure("\(file): [engine] socket: found \(socket), allowed: an absolute path in quotes")
            }
            return path
        } catch let error as TOMLParseError {
            throw CommandFailure("\(file):\(error.source.begin.line): \(error.description)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
        return String(cString: strerror(Int32(underlying.code)))
    }
}
