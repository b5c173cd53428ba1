/// Why a theme cannot be had; each message names the file, and the role where there is one.
struct ThemeError: Error, Equatable, CustomStringConvertible {
    var description: String

    static func unknown(_ name: String, known: [String], directories: [String]) -> ThemeError {
        ThemeError(
            description: "no theme '\(name)'; there are: \(known.joined(separator: ", ")) "
                + "(looked in \(directories.joined(separator: ", ")))")
    }

    static func file(_ file: String, _ problem: String) -> ThemeError {
        ThemeError(description: "theme \(file): \(problem)")
    }

    static func role(_ role: String, in file: String, found: String, allowed: String) -> ThemeError {
        ThemeError(description: "theme \(file): \(role): found \"\(found)\", allowed: \(allowed)")
    }
}
