import Testing

@testable import USBClasses

struct KeystrokesTests {
    private func strokes(_ text: String, _ layout: KeyboardLayout) throws -> [Keystroke] {
        try Keystrokes(typing: text, layout: layout).strokes
    }

    @Test func eachKeyGoesDownAndUp() throws {
        #expect(
            try Keystrokes(typing: "aA", layout: .us).reports == [
                [0, 0, 4, 0, 0, 0, 0, 0], Keystroke.released, [2, 0, 4, 0, 0, 0, 0, 0], Keystroke.released,
            ])
    }

    @Test func usTypesAllOfASCII() throws {
        let text = String(decoding: UInt8(0x20)...0x7E, as: UTF8.self) + "\n\t"
        for layout in KeyboardLayout.allCases {
            let strokes = try strokes(text, layout)
            #expect(strokes.count >= text.count)
        }
        #expect(try strokes("|\\", .us) == [Keystroke(0x31, .shift), Keystroke(0x31)])
        #expect(try strokes("a\r\nb", .us).map(\.usage) == [4, 0x28, 5])
    }

    @Test func germanKeys() throws {
        #expect(
            try strokes("zyß@€{", .de) == [
                Keystroke(0x1C), Keystroke(0x1D), Keystroke(0x2D), Keystroke(0x14, .altGr), Keystroke(0x08, .altGr),
                Keystroke(0x24, .altGr),
            ])
        // Dead keys: before a letter, and with the space bar alone.
        #expect(
            try strokes("éÊ^`", .de) == [
                Keystroke(0x2E), Keystroke(0x08), Keystroke(0x35), Keystroke(0x08, .shift), Keystroke(0x35),
                Keystroke(0x2C), Keystroke(0x2E, .shift), Keystroke(0x2C),
            ])
        #expect(try strokes("<>|#'", .de).map(\.usage) == [0x64, 0x64, 0x64, 0x32, 0x32])
    }

    @Test func frenchKeys() throws {
        #expect(
            try strokes("aq1é~ê", .fr) == [
                Keystroke(0x14), Keystroke(0x04), Keystroke(0x1E, .shift), Keystroke(0x1F), Keystroke(0x1F, .altGr),
                Keystroke(0x2F), Keystroke(0x08),
            ])
        #expect(try strokes("mM;.", .fr).map(\.usage) == [0x33, 0x33, 0x36, 0x36])
        #expect(try strokes("ï", .fr) == [Keystroke(0x2F, .shift), Keystroke(0x0C)])
        // A character and its accent apart are the same character.
        #expect(try strokes("e\u{301}", .fr) == [Keystroke(0x1F)])
    }

    @Test func namesWhatCannotBeTyped() {
        let error = #expect(throws: Keystrokes.Untypable.self) { try Keystrokes(typing: "aéßé\u{1}", layout: .us) }
        #expect(error?.characters == ["é", "ß", "\u{1}"])
        #expect(error?.description == "layout us cannot type 'é' (U+00E9), 'ß' (U+00DF), (U+0001)")
    }

    @Test func chords() throws {
        #expect(try KeyChord(parsing: "Ctrl+Alt+Delete").report == [5, 0, 0x4C, 0, 0, 0, 0, 0])
        #expect(try KeyChord(parsing: "f12").usages == [0x45])
        #expect(try KeyChord(parsing: "a+b+c+d+e+0").report == [0, 0, 4, 5, 6, 7, 8, 0x27])
        let mute = try KeyChord(parsing: "mute")
        #expect(mute.consumerUsage == 0xE2)
        #expect(mute.report == nil)
        for text in ["", "ctrl+", "f13", "a+b+c+d+e+f+g", "mute+stop", "é"] {
            #expect(throws: KeyChord.Unknown.self) { try KeyChord(parsing: text) }
        }
    }
}
