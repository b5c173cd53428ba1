/// One line of typed text with a cursor; holds no controls and at most 200 characters.
struct LineEditor: Sendable, Equatable {
    static let limit = 200

    private(set) var characters: [Character] = []
    private(set) var cursor = 0

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }
    var beforeCursor: String { String(characters[..<cursor]) }

    init(_ text: String = "") {
        insert(text)
    }

    mutating func insert(_ text: String) {
        for character in text where characters.count < Self.limit {
            // Pasted line breaks and controls never become part of a command.
            guard character.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else { continue }
            characters.insert(character, at: cursor)
            cursor += 1
        }
    }

    mutating func replace(with text: String) {
        characters = []
        cursor = 0
        insert(text)
    }

    mutating func left() { cursor = max(0, cursor - 1) }
    mutating func right() { cursor = min(characters.count, cursor + 1) }
    mutating func toStart() { cursor = 0 }
    mutating func toEnd() { cursor = characters.count }

    mutating func deleteBack() {
        guard cursor > 0 else { return }
        cursor -= 1
        characters.remove(at: cursor)
    }

    mutating func deleteForward() {
        if cursor < characters.count { characters.remove(at: cursor) }
    }

    mutating func deleteWord() {
        while cursor > 0, characters[cursor - 1] == " " { deleteBack() }
        while cursor > 0, characters[cursor - 1] != " " { deleteBack() }
    }
}
