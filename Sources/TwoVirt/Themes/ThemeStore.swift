import Console
import ControlSocket
import Foundation

/// Where themes are found: the operator's own, those beside the program, the system's, and the one built in.
struct ThemeStore: Sendable {
    /// The first directory that has a theme wins.
    let directories: [String]

    /// - Parameter executable: real path of this program; `themes` is looked for beside it and in each directory above.
    init(configurationDirectory: String, executable: String) {
        var directories = [configurationDirectory + "/themes"]
        var directory = (executable as NSString).deletingLastPathComponent
        while directory.count > 1 {
            directories.append(directory + "/themes")
            directory = (directory as NSString).deletingLastPathComponent
        }
        self.directories = directories + ["/usr/share/2virt/themes"]
    }

    static var ofThisProcess: ThemeStore {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return ThemeStore(
            configurationDirectory: EnginePaths.current.configurationDirectory, executable: executable)
    }

    /// Every theme there is, sorted.
    var names: [String] {
        var names: Set<String> = [Theme.fallback.name]
        for directory in directories {
            // A directory that is not there has no themes.
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            names.formUnion(files.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) })
        }
        return names.sorted()
    }

    /// Reads a theme by name, or from a file when the name has a slash.
    func load(_ name: String) throws(ThemeError) -> Theme {
        if name.contains("/") {
            return try read(name, name: ((name as NSString).lastPathComponent as NSString).deletingPathExtension)
        }
        for directory in directories {
            let file = "\(directory)/\(name).toml"
            if FileManager.default.fileExists(atPath: file) { return try read(file, name: name) }
        }
        guard name == Theme.fallback.name else {
            throw .unknown(name, known: names, directories: directories.filter(FileManager.default.fileExists))
        }
        return .fallback
    }

    /// What is shown when nobody has said otherwise: a file may stand in for the built-in theme.
    func preferred() throws(ThemeError) -> Theme { try load(Theme.fallback.name) }

    private func read(_ file: String, name: String) throws(ThemeError) -> Theme {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            defer { try? handle.close() }
            data = try handle.read(upToCount: ThemeFile.maximumSize + 1) ?? Data()
        } catch {
            throw .file(file, "cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= ThemeFile.maximumSize else { throw .file(file, "is larger than 64 KiB") }
        guard let text = String(data: data, encoding: .utf8) else { throw .file(file, "is not UTF-8 text") }
        return try ThemeFile.parse(text, name: name, file: file)
    }
}
