import CTerminal
import Console

/// Turns reports of ncurses into keys: control characters, bracketed paste, and escape sequences that ncurses does not
/// know, which must not arrive as letters and do something.
struct KeyDecoder {
    /// A longer paste is cut; a longer unknown sequence is no sequence.
    static let maximumPaste = 64 << 10
    static let maximumSequence = 32

    private enum State {
        case plain
        /// After ESC: a key by itself unless a sequence follows at once.
        case escape
        /// Inside an unknown CSI or SS3 sequence, until its final byte.
        case sequence(length: Int)
        case paste(String)
    }

    private var state = State.plain

    /// Whether the end of a paste is still to come.
    var isPasting: Bool {
        if case .paste = state { true } else { false }
    }

    /// The keys that a report completes.
    mutating func take(_ input: RawInput) -> [Key] {
        if case .paste(let text) = state { return takePasted(input, text) }
        switch (state, input) {
        case (.escape, .character(UInt32(UInt8(ascii: "[")))), (.escape, .character(UInt32(UInt8(ascii: "O")))):
            state = .sequence(length: 0)
            return []
        case (.escape, _):
            state = .plain
            return [.escape] + take(input)
        case (.sequence(let length), .character(let value)) where length < Self.maximumSequence:
            // ECMA-48 5.4: parameter and intermediate bytes up to 3F, then one final byte.
            state = (0x40...0x7E).contains(value) ? .plain : .sequence(length: length + 1)
            return []
        default:
            state = .plain
            return plain(input)
        }
    }

    /// Nothing more is there to be read now: an ESC was the key, a sequence is cut off.
    mutating func endOfBurst() -> [Key] {
        switch state {
        case .escape:
            state = .plain
            return [.escape]
        case .sequence:
            state = .plain
            return []
        case .plain, .paste:
            return []
        }
    }

    /// The end of a paste did not come: gives what there is.
    mutating func abandonPaste() -> [Key] {
        guard case .paste(let text) = state else { return [] }
        state = .plain
        return text.isEmpty ? [] : [.paste(text)]
    }

    private mutating func takePasted(_ input: RawInput, _ text: String) -> [Key] {
        switch input {
        case .key(CT_KEY_PASTE_END):
            return abandonPaste()
        case .character(let value):
            guard let scalar = Unicode.Scalar(value), text.utf8.count < Self.maximumPaste else { return [] }
            var text = text
            text.unicodeScalars.append(value == 13 ? "\n" : scalar)
            state = .paste(text)
            return []
        case .key, .mouse:
            return []
        }
    }

    private mutating func plain(_ input: RawInput) -> [Key] {
        switch input {
        case .character(27):
            state = .escape
            return []
        case .character(let value):
            return character(value).map { [$0] } ?? []
        case .key(CT_KEY_PASTE_BEGIN):
            state = .paste("")
            return []
        case .key(let code):
            return key(code).map { [$0] } ?? []
        case .mouse(let column, let row, let buttons):
            return mouse(buttons).map {
                .mouse(Mouse(column: Int(column), row: Int(row), action: $0))
            }.map { [$0] } ?? []
        }
    }

    private func character(_ value: UInt32) -> Key? {
        switch value {
        case 8, 127: return .backspace
        case 9: return .tab
        case 10, 13: return .enter
        case 1...26: return Unicode.Scalar(value + 0x60).map { .control(Character($0)) }
        case 28: return .control("\\")
        case 0..<32, 0x80..<0xA0: return nil
        default: return Unicode.Scalar(value).map { .character(Character($0)) }
        }
    }

    private func key(_ code: Int32) -> Key? {
        switch code {
        case KEY_UP: .up
        case KEY_DOWN: .down
        case KEY_LEFT: .left
        case KEY_RIGHT: .right
        case KEY_PPAGE: .pageUp
        case KEY_NPAGE: .pageDown
        case KEY_HOME: .home
        case KEY_END: .end
        case KEY_IC: .insert
        case KEY_DC: .delete
        case KEY_BACKSPACE: .backspace
        case KEY_ENTER: .enter
        case KEY_BTAB: .backTab
        case CT_KEY_F0 + 1...CT_KEY_F0 + 24: .function(Int(code - CT_KEY_F0))
        default: nil
        }
    }

    private func mouse(_ buttons: UInt32) -> Mouse.Action? {
        if buttons & UInt32(CT_BUTTON4_PRESSED) != 0 { return .wheelUp }
        if buttons & UInt32(CT_BUTTON5_PRESSED) != 0 { return .wheelDown }
        if buttons & UInt32(CT_BUTTON1_PRESSED) != 0 { return .press(1) }
        if buttons & UInt32(CT_BUTTON2_PRESSED) != 0 { return .press(2) }
        if buttons & UInt32(CT_BUTTON3_PRESSED) != 0 { return .press(3) }
        if buttons & UInt32(CT_BUTTON1_RELEASED) != 0 { return .release(1) }
        return nil
    }
}
