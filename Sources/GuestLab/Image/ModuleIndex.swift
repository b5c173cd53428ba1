import Foundation

/// A kernel's `modules.dep` and `modules.builtin`: which files a module needs.
struct ModuleIndex: Sendable {
    /// Paths of the modules each module needs, itself excluded, all relative to the modules directory.
    private var dependencies: [String: [String]] = [:]
    private var pathByName: [String: String] = [:]
    private var builtIn: Set<String> = []

    init(dependencyList: String, builtInList: String, named file: String) throws {
        for line in dependencyList.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw LabError.malformed(file: file, reason: "a line has no colon: \(line.prefix(80))")
            }
            let path = String(line[..<colon])
            let needed = line[line.index(after: colon)...].split(separator: " ").map(String.init)
            guard ([path] + needed).allSatisfy(Self.isPlainPath) else {
                throw LabError.malformed(file: file, reason: "a path leaves the directory: \(line.prefix(80))")
            }
            dependencies[path] = needed
            pathByName[Self.name(of: path)] = path
        }
        builtIn = Set(builtInList.split(separator: "\n").map { Self.name(of: String($0)) })
    }

    /// The paths of the named modules and all they need, sorted; modules built into the kernel need no file.
    func closure(of names: [String]) throws -> [String] {
        var paths: Set<String> = []
        for name in names {
            let key = Self.name(of: name)
            if let path = pathByName[key] {
                paths.insert(path)
                paths.formUnion(dependencies[path] ?? [])
            } else if !builtIn.contains(key) {
                throw LabError.noKernelPackage("the kernel package has no module \(name)")
            }
        }
        return paths.sorted()
    }

    /// `kernel/drivers/usb/host/xhci-hcd.ko.xz` is `xhci_hcd`.
    static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.split(separator: ".", maxSplits: 1).first.map(String.init) ?? file
        return stem.replacingOccurrences(of: "-", with: "_")
    }

    private static func isPlainPath(_ path: String) -> Bool {
        !path.isEmpty && !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
    }
}
