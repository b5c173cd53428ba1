import Console
import Testing

@testable import Terminal

@Suite("Terminal choice")
struct TerminalChoiceTests {
    private func choose(
        _ environment: [String: String], isUTF8: Bool = true, known: Set<String> = ["xterm-256color", "linux", "vt100"]
    ) throws -> TerminalChoice {
        try TerminalChoice(environment: environment, isUTF8: isUTF8) { name in
            name == "dumb" ? .tooPlain : known.contains(name) ? .usable : .unknown
        }
    }

    @Test func aKnownNameIsTaken() throws {
        let choice = try choose(["TERM": "vt100"])
        #expect(choice.name == "vt100")
        #expect(choice.note == nil)
    }

    @Test func anUnknownNameFallsBackAndIsSaid() throws {
        let choice = try choose(["TERM": "ghostty\u{1b}[2J"])
        #expect(choice.name == "xterm-256color")
        #expect(choice.note?.contains("TERM=ghostty?[2J") == true)
    }

    @Test func whatCannotBeDrawnOnIsRefused() {
        #expect(throws: ScreenError.tooPlain("dumb")) { try choose(["TERM": "dumb"]) }
        #expect(throws: ScreenError.noTerminalName) { try choose([:]) }
        #expect(throws: ScreenError.noTerminalName) { try choose(["TERM": ""]) }
        #expect(throws: ScreenError.noDescription("foot")) { try choose(["TERM": "foot"], known: []) }
    }

    @Test func directColourNeedsBothTheWordAndTheDescription() throws {
        let both: Set<String> = ["xterm-256color", "xterm-direct"]
        #expect(try choose(["TERM": "xterm-256color", "COLORTERM": "truecolor"], known: both).name == "xterm-direct")
        #expect(try choose(["TERM": "xterm-256color"], known: both).name == "xterm-256color")
        #expect(try choose(["TERM": "xterm-256color", "COLORTERM": "24bit"]).name == "xterm-256color")
    }

    @Test func noColorWinsAndAnEmptyOneIsNone() throws {
        #expect(try choose(["TERM": "vt100", "NO_COLOR": "1"]).depth(colors: 256) == .mono)
        #expect(try choose(["TERM": "vt100", "NO_COLOR": ""]).depth(colors: 256) == .indexed256)
    }

    @Test(arguments: [
        (0, ColorDepth.mono), (-1, .mono), (8, .ansi8), (16, .ansi16), (88, .ansi16), (256, .indexed256),
        (16_777_216, .direct),
    ])
    func depthFollowsTheDescription(colors: Int, depth: ColorDepth) throws {
        #expect(try choose(["TERM": "vt100"]).depth(colors: colors) == depth)
    }

    @Test func charactersFollowTheLocaleAndTheConsoleFont() throws {
        #expect(try choose(["TERM": "vt100"], isUTF8: false).glyphs == .ascii)
        #expect(try choose(["TERM": "linux"]).glyphs == .blocks)
        #expect(try choose(["TERM": "vt100"]).glyphs == .unicode)
    }
}
