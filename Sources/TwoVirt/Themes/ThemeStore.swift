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

    /// The theme that is there without any file.
    static let builtIn = "system"
    /// What is shown when nobody has said otherwise, where its file is found.
    static let usual = "harbor"

    /// Every theme there is, sorted.
    var names: [String] {
        var names: Set<String> = [Self.builtIn]
        for directory in directories {
            // A directory that is not there has no themes.
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            names.formUnion(files.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) })
        }
        return names.sorted()
    }

    /// Reads a theme by its file's name without `.toml`, or from a path when the name has a slash.
    func load(_ name: String) throws(CommandFailure) -> Theme {
        if name.contains("/") { return try ThemeFile.read(name) }
        for directory in directories {
            let file = "\(directory)/\(name).toml"
            if FileManager.default.fileExists(atPath: file) { return try ThemeFile.read(file) }
        }
        guard name == Self.builtIn else {
            throw CommandFailure("no theme '\(name)'; there are: \(names.joined(separator: ", "))")
        }
        return .fallback
    }

    /// The name to begin with.
    var preferred: String { names.contains(Self.usual) ? Self.usual : Self.builtIn }
}
