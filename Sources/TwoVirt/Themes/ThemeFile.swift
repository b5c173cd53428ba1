import Console
import Foundation
import TOMLKit

/// A theme's file as strings by table and key, as `Theme.parse` takes them.
enum ThemeFile {
    /// Larger files are no themes.
    static let maximumSize = 64 << 10

    /// Reads a theme; each message names the file, and the role where there is one.
    static func read(_ file: String) throws(CommandFailure) -> Theme {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            defer { try? handle.close() }
            data = try handle.read(upToCount: maximumSize + 1) ?? Data()
        } catch {
            throw CommandFailure("theme \(file) cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= maximumSize else { throw CommandFailure("theme \(file) is larger than 64 KiB") }
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure("theme \(file) is not UTF-8 text")
        }
        return try parse(text, file: file)
    }

    /// - Parameter file: the name that messages use.
    static func parse(_ text: String, file: String) throws(CommandFailure) -> Theme {
        do {
            return try Theme.parse(sections(TOMLTable(string: text)))
        } catch let error as TOMLParseError {
            throw CommandFailure("theme \(file):\(error.source.begin.line): \(error.description)")
        } catch {
            throw CommandFailure("theme \(file): \(error)")
        }
    }

    private static func sections(_ table: TOMLTable) throws -> [String: [String: String]] {
        var sections: [String: [String: String]] = ["": [:]]
        for (key, value) in table {
            if let text = value.string {
                sections["", default: [:]][key] = text
            } else if let entries = value.table {
                sections[key] = try strings(entries, in: key)
            } else {
                throw CommandFailure("\(key): found \(value); allowed is text in quotes")
            }
        }
        return sections
    }

    private static func strings(_ table: TOMLTable, in section: String) throws -> [String: String] {
        var strings: [String: String] = [:]
        for (key, value) in table {
            guard let text = value.string else {
                throw CommandFailure("\(section).\(key): found \(value); allowed is text in quotes")
            }
            strings[key] = text
        }
        return strings
    }
}
