/// The layout of a guest's root: `/bin`, `/sbin` and `/lib` are links into `/usr`, as in every current distribution, so
/// that programs are found by either path.
enum MergedUsr {
    static let directories = ["bin", "sbin", "lib", "lib64"]

    /// Where a path given by either name lies, relative to the root.
    static func path(_ path: String) -> String {
        let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, directories.contains(String(parts[0])) else { return path }
        return "usr/" + parts.joined(separator: "/")
    }
}
