import ControlProtocol
import Foundation
import SnapshotFixtures
import Testing

@testable import Console

/// A console that has seen the harbour for some seconds, at a size.
func console(_ columns: Int, _ rows: Int, readOnly: Bool = false, firstSteps: String? = nil) -> ConsoleModel {
    var model = ConsoleModel(
        readOnly: readOnly, themes: ["contrast", "deutan", "harbor", "mono", "paper", "system"], theme: "harbor",
        firstSteps: firstSteps)
    _ = model.update(.resize(columns: columns, rows: rows))
    _ = model.update(.connection(.connected))
    for second in stride(from: 6.0, through: 0.0, by: -1.0) {
        _ = model.update(.snapshot(Harbour.snapshot(secondsBefore: second)))
    }
    _ = model.update(.events(Harbour.events))
    for event in Harbour.events { _ = model.update(.event(event)) }
    _ = model.update(.tick(Harbour.now))
    return model
}

extension ConsoleModel {
    /// Presses keys in order and gives all effects.
    @discardableResult
    mutating func press(_ keys: Key...) -> [ConsoleEffect] {
        keys.flatMap { update(.key($0)) }
    }

    @discardableResult
    mutating func type(_ text: String) -> [ConsoleEffect] {
        text.flatMap { update(.key(.character($0))) }
    }

    /// Selects an object as an operator would find it: by the filter-free lists.
    mutating func stand(on id: ObjectID) {
        select(id)
        setFocus(id.isPlace ? .vms : .devices)
        // A key without a meaning: the lists settle as after any key.
        press(.insert)
    }
}

/// Commands among effects.
func commands(_ effects: [ConsoleEffect]) -> [Command] {
    effects.compactMap { if case .send(_, let command) = $0 { command } else { nil } }
}

/// Compares a screen with its file in Golden: the text, then a line of equals signs, then the style letters.
///
/// With CONSOLE_GOLDEN=write in the environment the file is written instead.
func expectGolden(_ model: ConsoleModel, _ name: String, glyphs: GlyphSet = .unicode, mono: Bool = false) throws {
    let canvas = model.render(glyphs: glyphs, mono: mono)
    let screen = canvas.text + String(repeating: "=", count: canvas.columns) + "\n" + canvas.styleText
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).txt")
    if ProcessInfo.processInfo.environment["CONSOLE_GOLDEN"] == "write" {
        try screen.write(to: file, atomically: true, encoding: .utf8)
        return
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    let screenLines = screen.split(separator: "\n", omittingEmptySubsequences: false)
    let goldenLines = golden.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(screenLines.count == goldenLines.count, "\(name): other number of lines")
    for (index, pair) in zip(screenLines, goldenLines).enumerated() where pair.0 != pair.1 {
        Issue.record("\(name) line \(index + 1)\n  is     \(pair.0)\n  golden \(pair.1)")
    }
}
