import Foundation
import TOMLKit
import USBCore

/// Reads a configuration file and reports every mistake in it, not only the first.
public struct ConfigurationReader {
    /// Larger files are refused unread.
    static let maximumSize = 4 << 20

    let file: String
    let locator: TOMLLocator
    var problems: [ConfigurationProblem] = []
    var warnings: [ConfigurationProblem] = []

    /// - Throws: all mistakes found, or why the file cannot be read.
    public static func read(file: String) throws(ConfigurationError) -> Configuration {
        func unreadable(_ found: String) -> ConfigurationError {
            ConfigurationError(problems: [
                ConfigurationProblem(file: file, line: nil, key: "", found: found, allowed: "a readable TOML file")
            ])
        }
        // Not blocking: a pipe without writer must not hold us.
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable("cannot be read (\(String(cString: strerror(errno))))") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw unreadable("is not a regular file")
        }
        let data: Data
        do {
            data = try handle.read(upToCount: maximumSize + 1) ?? Data()
        } catch {
            throw unreadable("cannot be read (\(reason(error)))")
        }
        guard data.count <= maximumSize else { throw unreadable("is larger than \(maximumSize >> 20) MiB") }
        guard let text = String(data: data, encoding: .utf8) else { throw unreadable("is not UTF-8 text") }
        return try read(text: text, file: file)
    }

    /// The system's own words where there are any: Foundation's leave out what is wrong.
    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        guard let underlying, underlying.domain == NSPOSIXErrorDomain else {
            return (error as NSError).localizedDescription
        }
        return String(cString: strerror(Int32(underlying.code)))
    }

    /// - Parameter file: the name that messages use.
    public static func read(text: String, file: String) throws(ConfigurationError) -> Configuration {
        let locator = TOMLLocator(text)
        if let line = locator.tooDeep {
            // The parser recurses; what it is given must not use up the stack.
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    file: file, line: line, key: "", found: "is nested too deeply",
                    allowed:
                        "\(TOMLLocator.maximumDepth) lists and tables within each other, \(TOMLLocator.maximumKeyParts) parts of a key"
                )
            ])
        }
        if let missing = locator.missing {
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    file: file, line: missing.line, key: "", found: "is not TOML: \(missing.what)", allowed: "")
            ])
        }
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    file: file, line: error.source.begin.line, key: "", found: "is not TOML: \(error.description)",
                    allowed: "")
            ])
        } catch {
            throw ConfigurationError(problems: [
                ConfigurationProblem(file: file, line: nil, key: "", found: "is not TOML: \(error)", allowed: "")
            ])
        }
        var reader = ConfigurationReader(file: file, locator: locator)
        let configuration = reader.configuration(root)
        guard reader.problems.isEmpty else {
            throw ConfigurationError(problems: reader.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
        }
        return configuration
    }

    private init(file: String, locator: TOMLLocator) {
        self.file = file
        self.locator = locator
    }
}
