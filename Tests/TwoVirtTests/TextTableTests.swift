import Testing

@testable import TwoVirt

@Suite("Listings")
struct TextTableTests {
    @Test func columnsAreAlignedAndEmptyCellsShown() {
        var table = TextTable(["NAME", "IN"], rightAligned: ["IN"])
        table.add(["web", "7"])
        table.add(["漢字", ""])
        #expect(table.lines == ["NAME  IN", "web    7", "漢字   -"])
    }

    @Test func aNameFromAGuestCannotReachTheTerminal() {
        var table = TextTable(["NAME"])
        table.add(["a\u{1b}[2J\u{7}\nb\u{202e}c"])
        #expect(table.lines.count == 2)
        #expect(table.lines[1].unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
    }

    @Test func impossibleTimesAndAmountsAreShownAsNothing() {
        for time in [0, -1, Double.nan, .infinity, 1e300] { #expect(Moment.absolute(time) == "") }
        #expect(Moment.bytes(.max) == "16.0E")
        #expect(Moment.bytes(999) == "999")
        #expect(Moment.bytes(12_700) == "12.4k")
    }
}
