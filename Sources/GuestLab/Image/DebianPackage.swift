/// One version of a Debian package.
struct DebianPackage: Equatable, Sendable {
    let name: String
    let version: String

    /// What the file's name begins with; apt writes an epoch's colon as `%3a`.
    var filePrefix: String { "\(name)_\(version.replacing(":", with: "%3a"))_" }

    init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    /// Takes `Inst NAME (VERSION ORIGIN… [ARCHITECTURE])`, a line of `apt-get -s install`; nil for other lines.
    init?(simulationLine line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count >= 3, words[0] == "Inst", words[2].hasPrefix("("), words[2].count > 1 else { return nil }
        // A package of another architecture is `name:i386`; the lab's guests have one.
        guard !words[1].contains(":"), !words[1].contains("/"), !words[2].contains("/") else { return nil }
        name = String(words[1])
        version = String(words[2].dropFirst().filter { $0 != ")" })
    }
}
