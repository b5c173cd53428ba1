import Foundation
import GuestClientKit
import Testing

/// The manual page says what the program does: all of it, and nothing else.
@Suite struct ManualTests {
    @Test func namesEverySubcommandAndOption() async throws {
        let page = try ManualPage()
        let command = try await ParserDump.read().command
        let subcommands = command.subcommands ?? []
        #expect(subcommands.count > 5)
        #expect(Set(page.synopsis.keys) == Set(subcommands.map(\.commandName)))
        let help: Set = ["help"]
        #expect(Set(page.descriptions.keys).subtracting([""]).union(help) == Set(subcommands.map(\.commandName)))
        let tls = try #require(page.descriptions[""])
        #expect(!tls.isEmpty)
        for subcommand in subcommands where subcommand.commandName != "help" {
            let name = subcommand.commandName
            let synopsis = try #require(page.synopsis[name])
            let inherited = synopsis.takesTLS ? tls : []
            #expect(synopsis.options.union(inherited) == subcommand.options, "SYNOPSIS of \(name)")
            #expect(page.descriptions[name]?.union(inherited) == subcommand.options, "DESCRIPTION of \(name)")
        }
        #expect(page.options.isSuperset(of: ["h", "help", "version"]))
        #expect(page.options == subcommands.reduce(into: ["h", "help", "version"]) { $0.formUnion($1.options) })
    }

    /// Each of them, so that one that is added does not compile before it stands here.
    private static func next(_ error: GuestError?) -> GuestError? {
        switch error {
        case nil: .failed("")
        case .failed: .noSuchDevice("")
        case .noSuchDevice: .busy("")
        case .busy: .permission("")
        case .permission: .refused("")
        case .refused: .unsupported("")
        case .unsupported: .noSuchService("")
        case .noSuchService: .badCall("")
        case .badCall: .serviceFailed("")
        case .serviceFailed: .serviceDown("")
        case .serviceDown: nil
        }
    }

    @Test func namesEveryExitStatus() async throws {
        let errors = sequence(state: GuestError?.none) { error in
            error = Self.next(error)
            return error
        }
        let all = ([0, 2] + errors.map { Int($0.exitStatus) }).sorted()
        #expect(try ManualPage().exitStatuses == all)
        // As `--help` has it: "0 done, 1 failed (…), 2 usage".
        let discussion = try #require(try await ParserDump.read().command.discussion)
        #expect(discussion.matches(of: /\b(\d+) [a-z]/).compactMap { Int($0.1) } == all)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/mandoc")))
    func isCleanMdoc() async throws {
        let lint = try await ParserDump.run("/usr/bin/mandoc", ["-T", "lint", "-W", "warning", ManualPage.path])
        #expect(lint.status == 0, "\(String(decoding: lint.data, as: UTF8.self))")
        let text = try await ParserDump.run("/usr/bin/mandoc", ["-T", "utf8", ManualPage.path])
        #expect(text.status == 0 && text.data.count > 4000)
    }
}
