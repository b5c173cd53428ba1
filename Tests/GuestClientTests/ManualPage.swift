import Foundation

/// The manual page as far as it can be compared with the parser: mdoc's macros, one line each.
struct ManualPage {
    static let path = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/GuestClient/2virt-guest.1").standardizedFileURL.path

    private let sections: [String: [[Substring]]]

    init() throws {
        var sections: [String: [[Substring]]] = [:]
        var name = ""
        for line in try String(contentsOfFile: Self.path, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first == ".Sh" {
                name = words.dropFirst().joined(separator: " ")
            } else {
                sections[name, default: []].append(words)
            }
        }
        self.sections = sections
    }

    func lines(_ section: String) -> [[Substring]] { sections[section] ?? [] }

    /// The options that a line names, without their dashes: `.Op Fl -json | Fl -document`.
    static func options(_ line: [Substring]) -> [String] {
        zip(line, line.dropFirst()).compactMap { macro, word in
            guard macro == "Fl" || macro == ".Fl" else { return nil }
            return String(word.hasPrefix("-") ? word.dropFirst() : word)
        }
    }

    /// What SYNOPSIS says of each subcommand: its options, and whether it takes those of TLS.
    var synopsis: [String: (options: Set<String>, takesTLS: Bool)] {
        var found: [String: (options: Set<String>, takesTLS: Bool)] = [:]
        var current = ""
        for line in lines("SYNOPSIS") {
            if line.first == ".Cm", line.count > 1 {
                current = String(line[1])
                found[current] = ([], false)
            }
            found[current]?.options.formUnion(Self.options(line))
            if line.contains("tls-options") { found[current]?.takesTLS = true }
        }
        return found
    }

    /// The options that DESCRIPTION explains under each subcommand, and under an empty name those of TLS.
    var descriptions: [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        var current: String?
        for line in lines("DESCRIPTION") {
            if line.starts(with: [".It", "Cm"]) {
                current = String(line[2])
                found[current ?? "", default: []] = []
            } else if line == [".Ar", "tls-options"] {
                current = ""
            } else if line.starts(with: [".It", "Fl"]), let current {
                found[current, default: []].formUnion(Self.options(line))
            }
        }
        return found
    }

    var exitStatuses: [Int] {
        lines("EXIT STATUS").compactMap { $0.first == ".It" && $0.count == 2 ? Int($0[1]) : nil }
    }

    /// Every option that the page names anywhere.
    var options: Set<String> { Set(sections.values.flatMap { $0 }.flatMap(Self.options)) }
}
