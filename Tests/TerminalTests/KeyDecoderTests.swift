import CTerminal
import Console
import Testing

@testable import Terminal

@Suite("Key decoder")
struct KeyDecoderTests {
    private func decode(_ text: String, then last: [RawInput] = []) -> [Key] {
        var decoder = KeyDecoder()
        var keys: [Key] = []
        for scalar in text.unicodeScalars { keys += decoder.take(.character(scalar.value)) }
        for input in last { keys += decoder.take(input) }
        return keys + decoder.endOfBurst()
    }

    @Test func controlCharactersHaveNames() {
        #expect(
            decode("a\t\r\n\u{7f}\u{8}\u{1a}\u{1c}\u{0}") == [
                .character("a"), .tab, .enter, .enter, .backspace, .backspace, .control("z"), .control("\\"),
            ])
    }

    @Test func escapeIsAKeyWhenNothingFollows() {
        #expect(decode("\u{1b}") == [.escape])
        #expect(decode("\u{1b}q") == [.escape, .character("q")])
        #expect(decode("\u{1b}\u{1b}") == [.escape, .escape])
        #expect(decode("\u{1b}", then: [.key(KEY_UP)]) == [.escape, .up])
    }

    @Test func unknownSequencesDoNothing() {
        #expect(decode("\u{1b}[15;2~") == [])
        #expect(decode("\u{1b}[>0;276;0cq") == [.character("q")])
        #expect(decode("\u{1b}OPx") == [.character("x")])
        #expect(decode("\u{1b}[1;") == [])
    }

    @Test func aSequenceWithoutEndLetsGo() {
        let keys = decode("\u{1b}[" + String(repeating: "1", count: 100) + "q")
        #expect(keys.last == .character("q"))
    }

    @Test func aPasteIsOneKey() {
        var decoder = KeyDecoder()
        #expect(decoder.take(.key(CT_KEY_PASTE_BEGIN)) == [])
        for scalar in "qu\u{1b}u\r".unicodeScalars { #expect(decoder.take(.character(scalar.value)) == []) }
        #expect(decoder.isPasting)
        #expect(decoder.endOfBurst() == [])
        #expect(decoder.take(.key(CT_KEY_PASTE_END)) == [.paste("qu\u{1b}u\n")])
        #expect(!decoder.isPasting)
    }

    @Test func aPasteWithoutEndIsBoundedAndGivenUp() {
        var decoder = KeyDecoder()
        _ = decoder.take(.key(CT_KEY_PASTE_BEGIN))
        for _ in 0..<(KeyDecoder.maximumPaste + 100) { _ = decoder.take(.character(0x61)) }
        #expect(decoder.abandonPaste() == [.paste(String(repeating: "a", count: KeyDecoder.maximumPaste))])
        #expect(decoder.take(.character(0x71)) == [.character("q")])
    }

    @Test func mouseReportsHavePlaceAndAction() {
        var decoder = KeyDecoder()
        let press = RawInput.mouse(column: 3, row: 4, buttons: UInt32(CT_BUTTON1_PRESSED))
        #expect(decoder.take(press) == [.mouse(Mouse(column: 3, row: 4, action: .press(1)))])
        let wheel = RawInput.mouse(column: 0, row: 0, buttons: UInt32(CT_BUTTON5_PRESSED))
        #expect(decoder.take(wheel) == [.mouse(Mouse(column: 0, row: 0, action: .wheelDown))])
        #expect(decoder.take(.mouse(column: 0, row: 0, buttons: 0)) == [])
    }

    @Test func valuesThatAreNoCharactersAreDropped() {
        var decoder = KeyDecoder()
        #expect(decoder.take(.character(0xD800)) == [])
        #expect(decoder.take(.character(0x110000)) == [])
        #expect(decoder.take(.character(0x9B)) == [])
        #expect(decoder.take(.key(9999)) == [])
        #expect(decoder.take(.character(0xE4)) == [.character("ä")])
    }
}
