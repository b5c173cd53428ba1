import Foundation

/// Executables beside the running test bundle.
public enum BuiltProducts {
    public struct Missing: Error, CustomStringConvertible {
        var name: String
        var directories: [String]
        public var description: String { "no \(name) in \(directories.joined(separator: ", ")); run swift build first" }
    }

    public static func path(of name: String) throws -> String {
        var directories: [String] = []
        if let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            directories.append((executable as NSString).deletingLastPathComponent)
        }
        // A helper program may have loaded the bundle.
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            let bundle = argument.prefix { $0 != "=" } == argument[...] ? argument : String(argument.drop { $0 != "=" })
            directories.append((bundle as NSString).deletingLastPathComponent)
        }
        for directory in directories where FileManager.default.isExecutableFile(atPath: directory + "/" + name) {
            return directory + "/" + name
        }
        throw Missing(name: name, directories: directories)
    }
}
